// The directory that is a lock. It holds one empty file, whose name says which
// process holds the lock: so the lock of a killed process is free at once, and not
// only when it has gone stale.
//
// The directory is made under another name, and appears and goes by one rename(2),
// never without the holder's name in it. A rename onto a directory that is not
// empty fails (ENOTEMPTY): that is what makes it a lock. These functions take the
// place of mkdir and rmdir in proper-lockfile.
//
// A dead holder's lock must be taken away without ever hitting that of somebody who
// took it in the meantime: one process at a time does it (the directory `….evict`),
// and looks again before it does. Locks about to go stale are left to proper-lockfile.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isErrno } from '../errors.ts'
import { firstEntries } from './owned-directory.ts'
import { lifeOf, namespaceDigits, ownProcessId } from './process-id.ts'

/** Whoever evicts needs some microseconds; after this long, in ms, it was killed at it. */
const EVICTION_MS = 2000

/** What a process leaves that is killed at making or removing a lock is swept up when it is this old, in ms. */
const LEFTOVER_MS = 60_000

/** Entries that are looked at in a directory that may be somebody else's. */
const MAX_ENTRIES = 10_000

/** pid, start time, boot, pid namespace (process-id.ts). */
const HOLDER = /^\d+ \d+ [0-9a-f-]+ \d+$/

/** This process, as a file's name. */
const holderName = () => {
  const { pid, start, boot, namespace } = ownProcessId()
  return [pid, start || 0, boot, namespaceDigits(namespace)].join(' ')
}

/** Takes the lock. Throws EEXIST when it is held. */
export function makeLock(lock: string): void {
  if (exists(lock)) throw heldError(lock)
  const temp = beside(lock)
  makeBeside(lock, temp)
  try {
    within(temp, (path) => closeSync(openSync(join(path, holderName()), 'wx', 0o444)))
    renameSync(temp, lock)
  } catch (error) {
    removeDirectory(temp)
    throw isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR') ? heldError(lock) : error
  }
}

/** A directory that one may not write is what to name, not the name that the lock would have had for a moment. */
function makeBeside(lock: string, temp: string): void {
  try {
    mkdirSync(temp)
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error
    const path = dirname(lock)
    const message = error.message.replace(/, mkdir '.*'$/s, `, lock '${path}'`)
    throw Object.assign(new Error(message, { cause: error }), {
      code: error.code,
      errno: error.errno,
      syscall: 'lock',
      path,
    })
  }
}

/** Gives it back, or takes away a stale one. Throws ENOENT when there is none. */
export function removeLock(lock: string): void {
  const away = beside(lock)
  renameSync(lock, away)
  removeDirectory(away)
}

/** Takes the lock away from a holder that is surely dead; true when it did. */
export function evictDeadHolder(lock: string, staleMs: number): boolean {
  const mine = (): string | undefined => {
    const holder = holderOf(lock)
    return holder !== undefined && ageOf(lock) < staleMs - EVICTION_MS && isDead(holder) ? holder : undefined
  }
  const dead = mine()
  if (dead === undefined) return false
  return alone(`${lock}.evict`, () => {
    if (mine() !== dead) return false
    removeLock(lock)
    sweepLeftovers(lock)
    return true
  })
}

function isDead(holder: string): boolean {
  if (!HOLDER.test(holder)) return false
  const [pid, start, boot, namespace] = holder.split(' ') as [string, string, string, string]
  return lifeOf({ pid: Number(pid), start, boot, namespace }) === 'gone'
}

function holderOf(lock: string): string | undefined {
  try {
    return within(lock, (path) => namesIn(path, 1)[0])
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined
    throw error
  }
}

/**
 * Gives `fn` a path to the directory that goes by its descriptor: whoever owns the
 * parent may put a link in the directory's place at any time. Throws ENOTDIR, or
 * ELOOP for such a link.
 */
function within<T>(directory: string, fn: (path: string) => T): T {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    return fn(`/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}

/** What was killed while it made or removed a lock of this name left it under another one. */
function sweepLeftovers(lock: string): void {
  for (const name of namesIn(dirname(lock), MAX_ENTRIES)) {
    const path = join(dirname(lock), name)
    if (name.startsWith(`${basename(lock)}.tmp-`) && ageOf(path) > LEFTOVER_MS) removeDirectory(path)
  }
}

const namesIn = (directory: string, limit: number) =>
  firstEntries(directory, limit).entries.map(({ name }) => name)

const beside = (lock: string) => `${lock}.tmp-${randomBytes(6).toString('hex')}`

const exists = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined

const ageOf = (path: string) =>
  Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())

function heldError(lock: string): Error {
  return Object.assign(new Error(`${lock} is held`), { code: 'EEXIST' })
}

/** Runs `fn` if nobody else is at it; false otherwise, and where this user may not. */
function alone(mutex: string, fn: () => boolean): boolean {
  try {
    mkdirSync(mutex)
  } catch (error) {
    if (isErrno(error, 'EEXIST') && ageOf(mutex) > EVICTION_MS) removeDirectory(mutex)
    if (isErrno(error, 'EEXIST', 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
  try {
    return fn()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM')) return false
    throw error
  } finally {
    removeDirectory(mutex)
  }
}

/** Removes a directory of ours: it holds a holder's name, or nothing. What else is in it stays, and so does it. */
function removeDirectory(directory: string): void {
  try {
    within(directory, (path) => {
      for (const name of namesIn(path, MAX_ENTRIES)) if (HOLDER.test(name)) unlinkSync(join(path, name))
    })
    rmdirSync(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENOTEMPTY', 'EACCES', 'EPERM')) throw error
  }
}
