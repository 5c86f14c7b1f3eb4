// Modes of what lies in a prefix. A prefix of root's is there for all users of the
// machine, who read it and never write it; under whatever umask root made it.
// In anybody else's the umask may close it further, and never opens it to writers.

import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { isErrno } from '../errors.ts'

export const DIRECTORY_MODE = 0o755
export const FILE_MODE = 0o644
/** Written once, never changed: a block's file. */
export const BLOCK_MODE = 0o444

/** Bits that no umask of ours leaves to be set: writing by the group and by others. */
const WRITE_BY_OTHERS = 0o022

const isRoot = (): boolean => process.getuid?.() === 0

/** mkdir(2) for a directory of a prefix. */
export function makePrefixEntry(directory: string): void {
  mkdirSync(directory, DIRECTORY_MODE)
  if (isRoot()) chmodSync(directory, DIRECTORY_MODE)
}

/** The same where it may be there already. Never makes what is above it: a prefix may have been moved away. */
export function ensurePrefixEntry(directory: string): void {
  try {
    makePrefixEntry(directory)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

/** open(2) for a file of a prefix that may be made by this. One that is there and somebody else's keeps its mode. */
export function openPrefixFile(file: string, flags: string, mode = FILE_MODE): number {
  const fd = openSync(file, flags, mode)
  if (isRoot()) fchmodSync(fd, mode)
  return fd
}

/**
 * Of a file that is locked: whoever may open a file may lock it too, and have its owner wait (fcntl(2)).
 * Nobody else gets to open it, not even to read.
 */
export const LOCKED_MODE = 0o600

/**
 * Makes such a file where there is none, before a library does that opens it to others for a moment; in another
 * user's prefix it is that user's. What is in the way the library will say.
 */
export function makeLockedFile(file: string): void {
  let fd: number
  try {
    fd = openSync(file, 'ax', LOCKED_MODE)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return
    throw error
  }
  try {
    fchmodSync(fd, LOCKED_MODE)
    const { uid, gid } = statSync(dirname(file))
    if (isRoot() && uid !== 0) fchownSync(fd, uid, gid)
  } finally {
    closeSync(fd)
  }
}

/** Whether others may open what is there, or might. */
export function isOpenToOthers(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  return stats?.isFile() === true && (stats.mode & 0o077) !== 0
}

/** O_PATH (open(2)), which Node does not name: it opens what is there itself, and takes nobody's locks away when it is closed. */
const ITSELF = 0o10000000 | constants.O_NOFOLLOW

/**
 * The same for a file that another library has made; one that is gone again is nobody's to
 * read. What a link leads to, or what has another name too, keeps its mode: in another
 * user's prefix that may be any file.
 */
export function openToReaders(file: string): void {
  if (!isRoot()) return
  let fd: number
  try {
    fd = openSync(file, ITSELF)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  try {
    const stats = fstatSync(fd)
    if (stats.isFile() && stats.nlink === 1) chmodSync(`/proc/self/fd/${fd}`, FILE_MODE)
  } finally {
    closeSync(fd)
  }
}

/** For a process that is ours alone, and runs nobody's programs: what it makes otherwise gets fitting modes too. */
export function fixUmask(): void {
  process.umask(isRoot() ? WRITE_BY_OTHERS : process.umask(WRITE_BY_OTHERS) | WRITE_BY_OTHERS)
}

/** Whether this process may make entries in a directory; false for one that is closed, read-only or not there. */
export function mayWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}
