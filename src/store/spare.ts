// Room that is laid by for when a file system is full: files in `var` that are given
// up then. The ways out need some: a collection locks and a journal, a removal a lock,
// a few blocks and links (room.ts). Those are directories and files: inodes, entries and bytes.

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../errors.ts'
import { writeAll } from '../files/atomic.ts'
import { openPrefixFile } from '../files/modes.ts'
import type { PrefixPaths } from '../paths.ts'

/** Two locks of two inodes each and the journal are five. The first of the files; removals leave them. */
export const COLLECTION_FILES = 6
/** Some removals, one after the other, until there is a collection. */
const REMOVAL_FILES = 40
/** A directory takes a block of the file system: 4 KiB mostly. */
const BYTES = 8 * 1024

type SparePaths = Pick<PrefixPaths, 'var'>

const spareFiles = ({ var: directory }: SparePaths) =>
  Array.from({ length: COLLECTION_FILES + REMOVAL_FILES }, (_, index) =>
    join(directory, `spare-${index + 1}`),
  )

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
  } catch (error) {
    // A file that is there counts as laid by.
    rmSync(file, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Gives it up, `but` so many of the first. Idempotent. */
export function useSpare(paths: SparePaths, { but = 0 } = {}): void {
  for (const file of spareFiles(paths).slice(but)) removeIfPermitted(file)
}

/** Where this user may not, it stays, and what is done next says so. */
export function removeIfPermitted(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error
  }
}
