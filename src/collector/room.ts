// Room for a collection on a full file system. It is the way out of one, but takes
// locks, and a lock is a directory with a file in it.

import { isErrno, PkgError } from '../errors.ts'
import { hasRoom, removeDatabase } from '../store/room.ts'
import { useSpare } from '../store/spare.ts'
import type { Store } from '../store/store.ts'
import { removeDeadTempPins } from './leftovers.ts'

/** Two locks of two inodes each, and the journal of claims where there is none yet. */
const COLLECTION = { inodes: 5, bytes: 0 }

/**
 * Where there is no room for a lock, gives up the room that was laid by, and
 * deletes what can be rebuilt: the link index, which goes on in memory, the search
 * index, and temp pins of dead processes. Idempotent.
 */
export function makeRoom(store: Store): void {
  if (hasRoom(store.paths, COLLECTION)) return
  useSpare(store.paths)
  store.index.dropFiles()
  removeDatabase(store.paths.search)
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
