// Root's collector reads only so many links of another user (links.ts): whoever
// makes one there is refused before that, so that no link is made that would keep
// nothing (invariant 2).

import { join } from 'node:path'
import { readConfig } from '../config.ts'
import { isErrno, PkgError } from '../errors.ts'
import { firstEntries } from '../files/owned-directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { AUTO } from './names.ts'
import { ownerOfUserDirectory } from './owners.ts'

/** Links that may be made at the same moment by others of the same user. */
const SPARE_PART = 0.1

/** Throws NO_SPACE when this user has as many pins and auto pins as one user may have in a prefix of root's. */
export function requireRoomForLinks(paths: Pick<PrefixPaths, 'config' | 'pinsPerUser'>, user: string): void {
  if (process.geteuid?.() === 0 || ownerOfUserDirectory(paths.pinsPerUser) !== 0) return
  const limit = readConfig(paths)['users.maxLinks']
  const directory = join(paths.pinsPerUser, user)
  const room = Math.floor(limit * (1 - SPARE_PART))
  if (countEntries(directory, room) < room) return
  throw new PkgError(
    'NO_SPACE',
    `${directory} has too many entries: one user may have ${limit} (users.maxLinks)`,
    {
      hint: 'Remove some: `pkg pin list` shows them.',
    },
  )
}

/** Entries of all levels that are read, up to `limit`. */
function countEntries(directory: string, limit: number): number {
  let count = 0
  for (const prog of entriesOf(directory, limit)) {
    const path = join(directory, prog)
    count += 1 + entriesOf(path, limit).length + entriesOf(join(path, AUTO), limit).length
    if (count >= limit) break
  }
  return count
}

function entriesOf(directory: string, limit: number): string[] {
  try {
    return firstEntries(directory, limit).entries.map(({ name }) => name)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return []
    throw error
  }
}
