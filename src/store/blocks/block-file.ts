// Opening a block's file. Only a regular file can be one: what else lies at its
// place (a directory, a FIFO, a link, a device) is damage like a wrong bit, and
// must neither be waited for nor followed (invariants 1 and 7).

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { isErrno, PkgError } from '../../errors.ts'
import { UNTRUSTED_FLAGS } from '../../files/small-file.ts'

/** The largest block that peers exchange (Bitswap's limit; IPIP-499 and trustless gateways follow it). */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024

export type OpenBlockFile = {
  fd: number
  /** bytes to read: the file's, at most one more than a block may have (a longer one fails its hash anyway) */
  size: number
}

/** Throws CORRUPT_BLOCK for what is no regular file, and what open(2) does: ENOENT, ENOTDIR, EACCES. */
export function openBlockFile(file: string): OpenBlockFile {
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | UNTRUSTED_FLAGS)
  } catch (cause) {
    // open(2): a link, a socket, a device without a driver.
    if (isErrno(cause, 'ELOOP', 'ENXIO', 'ENODEV')) throw notFile(file, cause)
    throw cause
  }
  const stats = fstatSync(fd)
  if (stats.isFile()) return { fd, size: Math.min(stats.size, MAX_BLOCK_BYTES + 1) }
  closeSync(fd)
  throw notFile(file)
}

/** The file's bytes, unverified, in memory of their own. Throws as `openBlockFile`, and EIO. */
export function readBlockFile(file: string): Uint8Array {
  const { fd, size } = openBlockFile(file)
  try {
    return readInto(fd, Buffer.allocUnsafeSlow(size))
  } finally {
    closeSync(fd)
  }
}

/** Fills `buffer` from the file's start; gives the part that was filled: a file may be cut meanwhile. */
export function readInto<T extends Uint8Array>(fd: number, buffer: T): T {
  let length = 0
  while (length < buffer.length) {
    const count = readSync(fd, buffer, length, buffer.length - length, length)
    if (count === 0) break
    length += count
  }
  return buffer.subarray(0, length) as T
}

/** The length of the file; undefined when it is missing, or no regular file. */
export function blockFileSize(file: string): number | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  return stats?.isFile() ? stats.size : undefined
}

function notFile(file: string, cause?: unknown): PkgError {
  return new PkgError('CORRUPT_BLOCK', `${file} is not a regular file, as every block is`, { cause })
}
