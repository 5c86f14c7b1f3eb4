// The durability barrier of invariant 4: everything written before it is on
// stable storage when it returns. Called once before a link is written, never
// once a block.

import { closeSync, constants, fsyncSync, openSync } from 'node:fs'
import { isErrno } from '../errors.ts'
import { runSystemCommand } from './system-command.ts'

/** Up to this many files fsync each is faster than one syncfs, which also waits for everybody else's writes. */
export const FEW_FILES = 64

/**
 * Flushes these files and directories. One that is gone is passed over: it is
 * nobody's duty to keep what was deleted.
 */
export function syncFiles(files: Iterable<string>): void {
  for (const file of files) {
    let fd: number
    try {
      // Not for ever where somebody put a FIFO in the place of a directory.
      fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) continue
      throw error
    }
    try {
      fsyncSync(fd)
    } catch (error) {
      // What cannot be flushed holds nothing of ours (fsync(2)).
      if (!isErrno(error, 'EINVAL')) throw error
    } finally {
      closeSync(fd)
    }
  }
}

/**
 * Flushes the whole file system that holds `path` by syncfs(2). Node has no
 * binding for it; coreutils' `sync --file-system` is that call (sync(1)).
 */
export async function syncFilesystem(path: string): Promise<void> {
  await runSystemCommand('sync', ['--file-system', path])
}
