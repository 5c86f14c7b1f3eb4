// Files and links that appear whole or not at all: temp, flush, rename.
// Keeps invariant 3 (switching is one rename) for everything that is a symlink.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isErrno } from '../errors.ts'
import { FILE_MODE, openPrefixFile } from './modes.ts'

/**
 * Replaces `path` by a file with these bytes; after it returns they are on
 * stable storage. A crash leaves the old file or the new one, and at worst a
 * `.tmp-…` beside it.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array, { mode = FILE_MODE } = {}): void {
  const temp = temporaryName(path)
  try {
    const fd = openPrefixFile(temp, 'wx', mode)
    try {
      writeAll(fd, typeof data === 'string' ? Buffer.from(data) : data)
      flushFile(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temp, path)
  } catch (error) {
    removeQuietly(temp)
    throw error
  }
  fsyncDirectory(dirname(path))
}

/** write(2) may take less than it is given: repeats until all is written. Throws what it does, naming the file. */
export function writeAll(fd: number, data: Uint8Array): void {
  try {
    for (let at = 0; at < data.length; ) at += writeSync(fd, data, at, data.length - at)
  } catch (error) {
    throw naming(error, fd)
  }
}

/** fsync(2). Throws what it does, naming the file. */
export function flushFile(fd: number): void {
  try {
    fsyncSync(fd)
  } catch (error) {
    throw naming(error, fd)
  }
}

/** Node names no file where it was given a descriptor; whoever has two disks wants to know which. */
function naming(error: unknown, fd: number): unknown {
  if (!(error instanceof Error) || !('errno' in error)) return error
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`)
    return Object.assign(error, { path, message: `${error.message} '${path}'` })
  } catch {
    return error
  }
}

/**
 * Makes `path` a symlink to `target` by one rename(2), whatever was there
 * before (a directory in the way is an error); then flushes the directory.
 */
export function symlinkAtomic(target: string, path: string): void {
  const temp = temporaryName(path)
  symlinkSync(target, temp)
  try {
    renameSync(temp, path)
  } catch (error) {
    removeQuietly(temp)
    throw error
  }
  fsyncDirectory(dirname(path))
}

/** Flushes a directory's entries: without it a rename may be undone by a crash (fsync(2), NOTES). */
export function fsyncDirectory(path: string): void {
  // A FIFO in its place would have us wait.
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    flushFile(fd)
  } finally {
    closeSync(fd)
  }
}

/** The target of a symlink; undefined when there is nothing, or something else than a symlink. */
export function readLinkOrUndefined(path: string): string | undefined {
  return lookAtLink(path) ?? undefined
}

/**
 * The same, which tells the two apart: null for something else than a symlink. By one call: where a second one asked,
 * a link that appears between the two would be taken for something else.
 */
export function lookAtLink(path: string): string | null | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    if (isErrno(error, 'EINVAL')) return null
    throw error
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.tmp-${basename(path).slice(0, 100)}-${randomBytes(6).toString('hex')}`)
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
