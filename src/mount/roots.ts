// What `ls <prefix>/store` shows: the roots that pins and generations hold here.
// Read from the links on disk each time, by their text: following one would lead
// into the mount, that is to ourselves (invariant 8).

import { readdir, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isErrno } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { tryParseCid } from '../store/cid.ts'

/** The spelled CIDs of all roots, each once and sorted. What cannot be read is left out: the listing is a service, no truth. */
export async function listRoots(
  paths: Pick<PrefixPaths, 'pinsPerUser' | 'profilesPerUser'>,
): Promise<string[]> {
  const found = new Set<string>()
  for (const user of await names(paths.pinsPerUser)) {
    for (const program of await names(join(paths.pinsPerUser, user))) {
      await addTargets(join(paths.pinsPerUser, user, program), found)
    }
  }
  for (const user of await names(paths.profilesPerUser)) {
    await addTargets(join(paths.profilesPerUser, user, 'generations'), found)
  }
  return [...found].sort()
}

/** Adds the CID at the end of each link's text in a directory; anything else there is passed over. */
async function addTargets(directory: string, found: Set<string>): Promise<void> {
  for (const name of await names(directory)) {
    try {
      const cid = basename(await readlink(join(directory, name)))
      if (tryParseCid(cid) !== undefined) found.add(cid)
    } catch (error) {
      // No link (the folder of auto pins), or one that went meanwhile.
      if (!isErrno(error, 'EINVAL', 'ENOENT', 'EACCES')) throw error
    }
  }
}

async function names(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return []
    throw error
  }
}
