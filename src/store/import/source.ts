// Looking at what is to be imported: kinds, names, link targets, and errors that
// name the path. Symlinks are never followed.

import { constants, lstatSync, openSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { hasCode, isErrno, PkgError } from '../../errors.ts'

export type SourceKind = 'file' | 'directory' | 'symlink'

/** Without O_NONBLOCK opening a FIFO that took a file's place would wait for a writer. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** What is at `path`. Throws UNSUPPORTED for sockets, FIFOs and devices, else as `sourceError`. */
export function statSource(path: string): { kind: SourceKind; stat: Stats } {
  const stat = naming(path, () => lstatSync(path))
  if (stat.isFile()) return { kind: 'file', stat }
  if (stat.isDirectory()) return { kind: 'directory', stat }
  if (stat.isSymbolicLink()) return { kind: 'symlink', stat }
  const what = stat.isSocket() ? 'a socket' : stat.isFIFO() ? 'a FIFO' : 'a device'
  throw new PkgError('UNSUPPORTED', `${path} is ${what}, which a store cannot hold`, {
    hint: 'Remove it, or leave it out.',
  })
}

/** The same for what the user named: it may never have been there. Throws NOT_FOUND too. */
export function statRoot(path: string): { kind: SourceKind; stat: Stats } {
  try {
    return statSource(path)
  } catch (error) {
    if (!hasCode(error, 'CHANGED')) throw error
    throw new PkgError('NOT_FOUND', `${path} does not exist`, { cause: error.cause })
  }
}

/** The names in a directory. Throws BAD_NAME for one that is not UTF-8: UnixFS has no way to hold it. */
export function readNames(path: string): string[] {
  const names = naming(path, () => readdirSync(path))
  // Node replaces what is not UTF-8 by U+FFFD, which a name may also truly hold.
  if (names.some((name) => name.includes('\uFFFD'))) refuseInvalidNames(path)
  return names
}

function refuseInvalidNames(path: string): void {
  for (const bytes of naming(path, () => readdirSync(path, { encoding: 'buffer' }))) {
    refuseInvalid(bytes, `${path} has an entry whose name`)
  }
}

/** Where a symlink points to, unresolved. Throws BAD_NAME for a target that is not UTF-8. */
export function readTarget(path: string): string {
  const target = naming(path, () => readlinkSync(path, { encoding: 'buffer' }))
  refuseInvalid(target, `${path} is a symlink whose target`)
  return target.toString()
}

function refuseInvalid(bytes: Buffer, what: string): void {
  const text = bytes.toString()
  if (Buffer.from(text).equals(bytes)) return
  throw new PkgError('BAD_NAME', `${what} is not valid UTF-8: ${JSON.stringify(bytes.toString('latin1'))}`, {
    hint: 'Rename it; a name in a store is text.',
  })
}

/** Opens a file for reading, never through a symlink. */
export function openSource(path: string): number {
  return naming(path, () => openSync(path, OPEN_FLAGS))
}

/** Two equal signatures of a file: nobody wrote, replaced or chmodded it between them. */
export function signatureOf({ dev, ino, mode, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, mode, size, mtimeMs, ctimeMs].join(':')
}

/** Runs a system call and names the path in its error. */
export function naming<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw sourceError(path, error)
  }
}

export function changedError(path: string, cause?: unknown): PkgError {
  return new PkgError('CHANGED', `${path} changed while it was being added`, {
    hint: 'Add it again when nothing writes to it.',
    cause,
  })
}

/** PERMISSION, CHANGED (it vanished, or became something else), or IO. */
function sourceError(path: string, cause: unknown): unknown {
  if (isErrno(cause, 'EACCES', 'EPERM')) {
    return new PkgError('PERMISSION', `${path} cannot be read`, { hint: 'Nothing was added.', cause })
  }
  if (isErrno(cause, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO', 'EINVAL'))
    return changedError(path, cause)
  if (isErrno(cause, 'ENAMETOOLONG')) {
    return new PkgError('BAD_NAME', `${path.slice(0, 200)}… is too long a path`, { cause })
  }
  if (cause instanceof Error && 'code' in cause)
    return new PkgError('IO', `${path} cannot be read`, { cause })
  return cause
}
