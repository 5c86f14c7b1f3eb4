// Files that others may have planted, opened and read in bounded time and memory.
//
// Profiles, registries and packages may lie in other users' directories. What is
// there in place of a file may be a FIFO (open(2) waits for a writer, in a place
// where no signal handler runs), a device (`/dev/zero` never ends), a link to
// what only this user may read, or a file that fills the memory.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { type ErrorCode, isErrno, PkgError } from '../errors.ts'

/** No link is followed, no FIFO waited for, no terminal becomes ours. */
export const UNTRUSTED_FLAGS = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** What is read first: more than most of these files have. */
const FIRST_BYTES = 8 * 1024

export type SmallFileOptions = {
  /** a longer file is refused */
  maxBytes: number
  /** what it should be, for the error: 'a manifest', say */
  what: string
  /** of the error for what is no file, or too long; NOT_FILE if not given */
  code?: ErrorCode
  hint?: string
  /** for files that only their owner can have put there, and may keep elsewhere */
  followLinks?: boolean
}

/**
 * The bytes of a regular file. Throws `code` for anything else in its place and
 * for a file longer than `maxBytes`, and what open(2) and read(2) do: ENOENT, EACCES, EIO.
 */
export function readSmallFile(path: string, options: SmallFileOptions): Buffer {
  const fd = openUntrusted(path, constants.O_RDONLY, options)
  try {
    return readBounded(fd, path, options)
  } finally {
    closeSync(fd)
  }
}

/** Opens a regular file with these flags, for what is read or appended otherwise. Throws as `readSmallFile`. */
export function openUntrusted(
  path: string,
  flags: number,
  { what, code = 'NOT_FILE', hint, followLinks = false }: Omit<SmallFileOptions, 'maxBytes'>,
): number {
  const refuse = (is: string, cause?: unknown) =>
    new PkgError(code, `${path} is ${is}, not ${what}`, { ...(hint && { hint }), cause })
  let fd: number
  try {
    fd = openSync(
      path,
      followLinks ? (flags | UNTRUSTED_FLAGS) & ~constants.O_NOFOLLOW : flags | UNTRUSTED_FLAGS,
      0o644,
    )
  } catch (cause) {
    // open(2): a link where none may be; a socket, or a FIFO to write that nobody reads; a directory to write.
    if (isErrno(cause, 'ELOOP')) throw refuse('a symlink', cause)
    if (isErrno(cause, 'ENXIO', 'ENODEV', 'EISDIR')) throw refuse('no regular file', cause)
    throw cause
  }
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw refuse('no regular file')
}

/** The length is what was read, never what fstat(2) says: the file may grow meanwhile. */
function readBounded(
  fd: number,
  path: string,
  { maxBytes, what, code = 'NOT_FILE', hint }: SmallFileOptions,
): Buffer {
  let bytes = Buffer.allocUnsafe(Math.min(FIRST_BYTES, maxBytes + 1))
  for (let length = 0; ; ) {
    const count = readSync(fd, bytes, length, bytes.length - length, length)
    if (count === 0) return bytes.subarray(0, length)
    length += count
    if (length > maxBytes) {
      throw new PkgError(code, `${path} is longer than ${what} may be: ${maxBytes} bytes`, {
        ...(hint && { hint }),
      })
    }
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length, maxBytes + 1))
  }
}
