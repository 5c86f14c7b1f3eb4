// A small file system of a test's own, and how to fill it to the last byte or inode. Only root can mount one.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { isErrno } from '../../src/errors.ts'

export const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can mount a small file system'

/** A file system of its own on this directory while `fn` runs; `size` as tmpfs(5) takes it, with further options. */
export async function onSmallDisk(
  directory: string,
  size: string,
  fn: () => void | Promise<void>,
): Promise<void> {
  assert.equal(spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory]).status, 0)
  // Before the directory is removed, which the test's end does.
  try {
    await fn()
  } finally {
    spawnSync('/bin/umount', ['-l', directory])
  }
}

/** One file until there is no byte left. */
export function fill(file: string): void {
  const fd = openSync(file, 'w')
  try {
    for (let size = 1024 * 1024; size >= 1; ) {
      try {
        writeSync(fd, Buffer.alloc(size))
      } catch (error) {
        if (!isErrno(error, 'ENOSPC')) throw error
        size = Math.floor(size / 2)
      }
    }
  } finally {
    closeSync(fd)
  }
}

/** Empty files until there is no inode left. */
export function fillInodes(directory: string): void {
  try {
    mkdirSync(directory)
    for (let number = 0; ; number++) writeFileSync(`${directory}/${number}`, '')
  } catch (error) {
    if (!isErrno(error, 'ENOSPC')) throw error
  }
}
