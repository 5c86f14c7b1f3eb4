// File systems that do not answer: a server that is away, a FUSE program that hangs. Users keep links anywhere, and
// reading one there would wait for ever. So those are looked at first by a process that may be left where it waits;
// what does not answer is avoided from then on (mount-table.ts), and what its links kept, as they are remembered, stays.

import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../errors.ts'
import { readLinkOrUndefined } from '../files/atomic.ts'
import { namesIn } from '../files/directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { askLeavable } from './leavable.ts'
import { isOnAny, type MountLine, mountOf, mountsToAvoid, noteHung, readMounts } from './mount-table.ts'
import { AUTO } from './names.ts'

/** Types of file systems that ask another process or machine (filesystems(5), and those out of the kernel's tree). */
const ASKING =
  /^(?:fuse|nfs|cifs|smb|9p|ceph|afs|lustre|glusterfs|gpfs|beegfs|ncpfs|coda|orangefs|pvfs2|virtiofs|autofs)/

/** Entries of the users' directories that cannot be listed are not ours to look into. */
const CLOSED = ['EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'EIO']

/** Looks at the links that auto pins watch, where they lie on such a file system, and notes those that do not answer. */
export async function findHungMounts(paths: Pick<PrefixPaths, 'store' | 'pinsPerUser'>): Promise<void> {
  const mounts = readMounts()
  const asking = mounts.filter(({ type, point }) => ASKING.test(type) && point !== paths.store)
  if (asking.length === 0) return
  let links = watchedLinks(paths, mounts)
  while (links.length > 0) {
    let last = 0
    const isDone = await askLeavable<number>('link-prober', links, (index) => {
      last = index
    })
    if (isDone) return
    const hung = mountOf(links[last] as string, mounts)
    if (hung === undefined) return
    noteHung(hung.point)
    links = links.slice(last + 1).filter((link) => !isOnAny([hung.point], link))
  }
}

/**
 * Those on file systems that ask others, and that are not avoided anyway. Below the users' own directories no link is
 * followed: one would lead the listing itself to where nobody answers.
 */
function watchedLinks({ pinsPerUser }: Pick<PrefixPaths, 'pinsPerUser'>, mounts: MountLine[]): string[] {
  const avoid = mountsToAvoid(mounts)
  const entries = (directory: string) => (isOnAny(avoid, directory) ? [] : entriesIn(directory))
  const directories = (directory: string) => entries(directory).filter((entry) => entry.isDirectory())
  const users = namesIn(pinsPerUser, CLOSED).map((name) => join(pinsPerUser, name))
  const progs = users.flatMap(directories).map(pathOf)
  const autos = progs.flatMap(directories).filter(({ name }) => name === AUTO)
  return autos
    .map(pathOf)
    .flatMap(entries)
    .flatMap((pin) => readLinkOrUndefined(pathOf(pin)) ?? [])
    .filter((link) => ASKING.test(mountOf(link, mounts)?.type ?? '') && !isOnAny(avoid, link))
}

const pathOf = ({ parentPath, name }: Dirent) => join(parentPath, name)

function entriesIn(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT', ...CLOSED)) return []
    throw error
  }
}
