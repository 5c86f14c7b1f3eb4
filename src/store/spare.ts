// Room that is laid by for when a file system is full: files in `var` that are given
// up then. A collection, which is the way out, needs locks and a journal, and those
// are directories and files: inodes, entries and some bytes.

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../errors.ts'
import { writeAll } from '../files/atomic.ts'
import { openPrefixFile } from '../files/modes.ts'
import type { PrefixPaths } from '../paths.ts'

/** Two locks of two inodes each and the journal are five. */
const FILES = 6
/** A directory takes a block of the file system: 4 KiB mostly. */
const BYTES = 8 * 1024

type SparePaths = Pick<PrefixPaths, 'var'>

const spareFiles = ({ var: directory }: SparePaths) =>
  Array.from({ length: FILES }, (_, index) => join(directory, `spare-${index + 1}`))

/** Lays it by, as far as there is room for it. Idempotent. */
export function keepSpare(paths: SparePaths): void {
  try {
    for (const file of spareFiles(paths)) {
      // Random: a file system that compresses would give no room back for zeros.
      if (!existsSync(file)) lay(file, randomBytes(BYTES))
    }
  } catch (error) {
    if (!isErrno(error, 'EEXIST', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR'))
      throw error
  }
}

function lay(file: string, bytes: Uint8Array): void {
  // Exclusively: in another user's prefix a link to nothing may be there, for root to make what it names.
  const fd = openPrefixFile(file, 'wx')
  try {
    writeAll(fd, bytes)
  } finally {
    closeSync(fd)
  }
}

/** Gives it up. Idempotent. */
export function useSpare(paths: SparePaths): void {
  for (const file of spareFiles(paths)) rmSync(file, { force: true })
}
