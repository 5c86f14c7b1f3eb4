// Room for a collection on a full file system. It is the way out of one, but takes
// locks, and a lock is a directory with a file in it.

import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { useSpare } from '../store/spare.ts'
import type { Store } from '../store/store.ts'
import { removeDeadTempPins } from './leftovers.ts'

/** Two locks of two inodes each, and the journal of claims where there is none yet. */
const INODES = 5

/**
 * Where there is no room for a lock, gives up the room that was laid by, and
 * deletes what can be rebuilt: the link index, which goes on in memory, the search
 * index, and temp pins of dead processes. Idempotent.
 */
export function makeRoom(store: Store): void {
  if (hasRoom(store.paths)) return
  useSpare(store.paths)
  store.index.dropFiles()
  for (const suffix of ['', '-wal', '-shm']) rmSync(store.paths.search + suffix, { force: true })
  removeDeadTempPins(store.paths)
}

/** The error of a collection that found no room all the same; other errors as they are. */
export function noRoomError(error: unknown): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT')) return error
  return new PkgError('NO_SPACE', 'the file system is full: there is no room for the locks of a collection', {
    hint: 'Delete some other small files there (six inodes and 24 KiB will do), and run `pkg gc` again.',
    cause: error,
  })
}

/** Tries it, under a name that is swept up as a lock's leftover after a kill (files/lock-directory.ts). */
function hasRoom({ collector }: Pick<PrefixPaths, 'collector'>): boolean {
  const directory = `${collector}.lock.tmp-${randomBytes(6).toString('hex')}`
  const held: number[] = []
  try {
    mkdirSync(directory)
    for (let count = 1; count < INODES; count++) {
      const file = join(directory, 'room')
      held.push(openSync(file, 'wx'))
      // Open it keeps its inode, and nothing is left behind.
      unlinkSync(file)
    }
    return true
  } catch (error) {
    // Where this user may not write at all, the lock will say so.
    return !isErrno(error, 'ENOSPC', 'EDQUOT')
  } finally {
    for (const fd of held) closeSync(fd)
    rmSync(directory, { recursive: true, force: true })
  }
}
