// Directories that are still there after a crash.
//
// Made one level at a time: Node's recursive mkdirSync never returns where a
// directory exists and mkdir(2) in it says ENOENT, as in /proc (native-notes/node.md).

import { lstatSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { fsyncDirectory } from './atomic.ts'
import { makePrefixEntry } from './modes.ts'

/** How often a directory, or the one above it, may be removed by somebody else while we make it. */
const TRIES = 100

/** The names in a directory; none where it is not there, or reading it ends with another one of `absent` (errno names). */
export function namesIn(directory: string, absent: readonly string[] = []): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT', ...absent)) return []
    throw error
  }
}

/**
 * Makes a directory and its parents where they are missing, and flushes each
 * new entry: a link that is flushed into a directory which itself was not is
 * lost with it. Idempotent; where all is there it costs one call. Throws
 * NOT_DIRECTORY when something else is in the way, PERMISSION where the file
 * system takes no directories, and EACCES, EROFS, ENOSPC as the kernel does.
 */
export function makeDirectory(path: string): void {
  makeWith(mkdirSync, path)
}

/** The same for a directory of a prefix, whose mode is not left to the umask: see modes.ts. */
export function makePrefixDirectory(path: string): void {
  makeWith(makePrefixEntry, path)
}

/**
 * The same, with `fill` to put an entry there, called again where the directory went before that: others may remove
 * it as long as it is empty, so nothing slow, as a flush is, comes between the two. Throws what `fill` does.
 */
export function fillPrefixDirectory(path: string, fill: () => void): void {
  for (let tries = 1; ; tries++) {
    makePrefixDirectory(dirname(path))
    try {
      const made = !isDirectory(path)
      if (made) makePrefixEntry(path)
      fill()
      if (made) fsyncDirectory(dirname(path))
      return
    } catch (error) {
      if (!isErrno(error, 'EEXIST', 'ENOENT') || tries === TRIES) throw error
    }
  }
}

function makeWith(make: (path: string) => unknown, path: string): void {
  const place = resolve(path)
  for (let tries = 1; !isDirectory(place); tries++) {
    const above = dirname(place)
    makeWith(make, above)
    try {
      make(place)
      fsyncDirectory(above)
      return
    } catch (cause) {
      if (isErrno(cause, 'EEXIST', 'ENOENT') && tries < TRIES) continue
      if (!isErrno(cause, 'ENOENT')) throw cause
      throw new PkgError('PERMISSION', `${place} cannot be made: its file system takes no directories`, {
        hint: 'Choose a place on an ordinary file system.',
        cause,
      })
    }
  }
}

/** False when there is nothing. Throws NOT_DIRECTORY when there is something else, or a link to nothing. */
function isDirectory(path: string): boolean {
  try {
    const found = { throwIfNoEntry: false } as const
    // Somebody may make it between the two looks; and only the second sees a link to nothing.
    const there = statSync(path, found) ?? lstatSync(path, found)
    if (there === undefined) return false
    if (there.isDirectory()) return true
  } catch (cause) {
    if (!isErrno(cause, 'ENOTDIR')) throw cause
  }
  throw new PkgError('NOT_DIRECTORY', `${path} is not a directory`, {
    hint: 'Move it out of the way, or choose another place.',
  })
}

/** unlink(2), of a file that may be gone: others remove it too. */
export function removeIfThere(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
