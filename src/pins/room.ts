// Room for a collection on a full file system. It is the way out of one, but takes
// locks, and a lock is a directory with a file in it.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import type { Store } from '../store/store.ts'
import { removeDeadTempPins } from './leftovers.ts'

/**
 * Where there is no room for a lock, gives up the room that was laid by, and
 * deletes what can be rebuilt: the link index, which goes on in memory, the search index, and temp pins of dead processes. Idempotent.
 */
export function makeRoom(store: Store): void {
  if (hasRoom(store.paths)) return
  for (let number = 1; number <= SPARE_FILES; number++)
    rmSync(spareFile(store.paths, number), { force: true })
  store.index.dropFiles()
  for (const suffix of ['', '-wal', '-shm']) rmSync(store.paths.search + suffix, { force: true })
  removeDeadTempPins(store.paths)
}

/**
 * Files that hold some room: directory entries, inodes and bytes enough for the locks
 * of a collection. They lie in `var`, and are nobody's.
 */
const SPARE_FILES = 6
const SPARE_BYTES = 8 * 1024

const spareFile = (paths: Pick<PrefixPaths, 'var'>, number: number) => join(paths.var, `spare-${number}`)

/** Lays room by for the next collection, as far as there is some. Idempotent. */
export function keepRoom(paths: Pick<PrefixPaths, 'var'>): void {
  try {
    for (let number = 1; number <= SPARE_FILES; number++) {
      const file = spareFile(paths, number)
      // Random: a file system that compresses would give room back for zeros.
      if (!existsSync(file)) writeFileSync(file, randomBytes(SPARE_BYTES))
    }
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw error
  }
}

/** The error of a collection that found no room all the same; other errors as they are. */
export function noRoomError(error: unknown): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT')) return error
  return new PkgError('NO_SPACE', 'the file system is full: there is no room for the locks of a collection', {
    hint: 'Delete some other small files there (four inodes and 16 KiB will do), and run `pkg gc` again.',
    cause: error,
  })
}

/** Tries it, under a name that is swept up as a lock's leftover after a kill (files/lock-directory.ts). */
function hasRoom({ collector }: Pick<PrefixPaths, 'collector'>): boolean {
  const directory = `${collector}.lock.tmp-${randomBytes(6).toString('hex')}`
  const file = join(directory, 'room')
  try {
    mkdirSync(directory)
    try {
      writeFileSync(file, '')
      unlinkSync(file)
    } finally {
      rmdirSync(directory)
    }
  } catch (error) {
    // Where this user may not write at all, the lock will say so.
    return !isErrno(error, 'ENOSPC', 'EDQUOT')
  }
  return true
}
