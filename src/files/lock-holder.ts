// Who holds a lock, so that the lock of a killed process is free at once and not
// only when it has gone stale: after a `kill -9` the next command must not wait.
//
// The holder writes itself into `<file>.holder`, with the birth time of the lock's
// directory: a note that does not fit the directory is an earlier holder's. Taking
// a dead one's lock away must never hit the lock of somebody who took it in the
// meantime, so it is done by one process at a time (a directory `<file>.evict`),
// which looks again before it does it; and it leaves locks alone that are about to
// go stale, which proper-lockfile takes over by itself.

import { mkdirSync, readFileSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { isErrno } from '../errors.ts'
import { bootId, pidNamespace, processStart } from './process-id.ts'

/** Whoever evicts needs some microseconds; after this long, in ms, it was killed at it. */
const EVICTION_MS = 2000

/**
 * Notes this process as the holder. Call it with the lock held. A note that cannot
 * be written (a full disk) costs who comes after a kill some seconds, no more.
 */
export function noteHolder(file: string): void {
  const note = [process.pid, processStart(process.pid), bootId(), pidNamespace(), birthOf(`${file}.lock`)]
  try {
    writeFileSync(`${file}.holder`, note.join(' '))
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM')) throw error
  }
}

/**
 * Takes the note back, before the lock is released. Times of files are as coarse
 * as the kernel's tick: a lock that is taken within the same one would fit a note
 * that was left.
 */
export function forgetHolder(file: string): void {
  try {
    unlinkSync(`${file}.holder`)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) throw error
  }
}

/**
 * Takes the lock away from a holder that is surely dead; true when it did.
 * A lock not renewed for `staleMs` is left to proper-lockfile.
 */
export function evictDeadHolder(file: string, staleMs: number): boolean {
  if (!isHeldByDead(file, staleMs)) return false
  return alone(`${file}.evict`, () => {
    if (!isHeldByDead(file, staleMs)) return false
    rmdirSync(`${file}.lock`)
    return true
  })
}

function isHeldByDead(file: string, staleMs: number): boolean {
  const [pid, start, boot, namespace, birth] = readNote(file)
  if (birth === undefined || birth !== birthOf(`${file}.lock`)) return false
  if (ageOf(`${file}.lock`) > staleMs - EVICTION_MS) return false
  if (boot !== bootId()) return true
  return namespace === pidNamespace() && processStart(Number(pid)) !== start
}

function readNote(file: string): string[] {
  try {
    return readFileSync(`${file}.holder`, 'latin1').split(' ')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** When the directory was made, in ns since 1970: two of one name never share it. */
function birthOf(directory: string): string | undefined {
  return statSync(directory, { bigint: true, throwIfNoEntry: false })?.birthtimeNs.toString()
}

function ageOf(directory: string): number {
  return Date.now() - (statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? 0)
}

/** Runs `fn` if nobody else is at it; false otherwise, and where this user may not. */
function alone(directory: string, fn: () => boolean): boolean {
  try {
    mkdirSync(directory)
  } catch (error) {
    if (isErrno(error, 'EEXIST') && ageOf(directory) > EVICTION_MS) removeDirectory(directory)
    if (isErrno(error, 'EEXIST', 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
  try {
    return fn()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM')) return false
    throw error
  } finally {
    removeDirectory(directory)
  }
}

function removeDirectory(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
