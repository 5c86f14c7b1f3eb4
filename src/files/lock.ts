// Locks between processes, by proper-lockfile: a lock on `file` is the directory
// `file.lock`, whose mtime the holder renews.
//
// A holder that is killed leaves the directory behind. The next comer takes it
// away when it can tell that the holder is dead (lock-directory.ts); where it cannot,
// the lock is stale once it was not renewed for STALE_MS. So a holder that blocks
// its event loop for that long can lose the lock to another process while it still
// believes in it: hold `pins/lock` for moments only, do long synchronous work
// elsewhere. A holder that lost its lock is told by the signal that `fn` gets;
// work that would do harm without the lock looks at it first.

import fs, { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import lockfile from 'proper-lockfile'
import { isErrno, PkgError } from '../errors.ts'
import { evictDeadHolder, makeLock, removeLock } from './lock-directory.ts'

/** How long an unrenewed lock is believed. proper-lockfile's own default; 2 s is its least. */
const STALE_MS = 10_000

/** First pause between two tries; doubled up to MAX_PAUSE_MS. A lock is usually held for about a millisecond. */
const MIN_PAUSE_MS = 2
const MAX_PAUSE_MS = 50

export type LockOptions = {
  /** how long to try; 0 tries once */
  waitMs?: number
  signal?: AbortSignal
}

/**
 * Runs `fn` while this process alone holds the lock on `file` (which need not
 * exist; its directory must). Not reentrant. Fair only by chance.
 * Throws BUSY, naming the file, when the lock cannot be had within `waitMs`.
 */
export async function withLock<T>(
  file: string,
  fn: (lost: AbortSignal) => T | Promise<T>,
  { waitMs = 60_000, signal }: LockOptions = {},
): Promise<T> {
  const lost = new AbortController()
  const release = await acquire(file, { waitMs, signal, lost })
  try {
    return await fn(lost.signal)
  } finally {
    // A lock that was lost is another process's now: there is nothing of ours to release.
    if (!lost.signal.aborted) await release()
  }
}

/** True while some process holds the lock on `file`, or was killed holding it within STALE_MS. Never blocks. */
export function isLocked(file: string): boolean {
  return existsSync(`${file}.lock`)
}

type Done = (error: unknown) => void

/**
 * What proper-lockfile needs of a file system, with our own making and removing of the
 * lock's directory. A link in its place is never followed: it may be put there, in a
 * profile of somebody else's, for us to touch what it leads to.
 */
export const lockFileSystem = {
  stat: fs.lstat,
  utimes: fs.lutimes,
  mkdir: (path: string, done: Done) => attempt(() => makeLock(path), done),
  rmdir: (path: string, done: Done) => attempt(() => removeLock(path), done),
  rmdirSync: removeLock,
}

function attempt(act: () => void, done: Done): void {
  let failed: unknown = null
  try {
    act()
  } catch (error) {
    failed = error
  }
  queueMicrotask(() => done(failed))
}

type Acquire = Required<Pick<LockOptions, 'waitMs'>> & {
  signal: AbortSignal | undefined
  lost: AbortController
}

async function acquire(file: string, { waitMs, signal, lost }: Acquire): Promise<() => Promise<void>> {
  const deadline = performance.now() + waitMs
  for (let pause = MIN_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    signal?.throwIfAborted()
    try {
      return await lockfile.lock(file, {
        realpath: false,
        stale: STALE_MS,
        fs: lockFileSystem,
        onCompromised: (error) => lost.abort(error),
      })
    } catch (error) {
      if (!isErrno(error, 'ELOCKED')) throw error
      if (evictDeadHolder(`${file}.lock`, STALE_MS)) continue
      if (performance.now() >= deadline) {
        throw new PkgError('BUSY', `${file} is locked by another process`, {
          hint: 'Wait for it to finish, or try again.',
          cause: error,
        })
      }
    }
    // Random, so that waiters that began together do not try together for ever.
    await delay(pause * (0.5 + Math.random()), undefined, { signal })
  }
}
