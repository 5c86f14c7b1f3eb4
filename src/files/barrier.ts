// The durability barrier of invariant 4: everything written before it is on
// stable storage when it returns. Called once before a link is written, never
// once a block.

import { closeSync, constants, openSync } from 'node:fs'
import { type ErrorCode, isErrno, PkgError } from '../errors.ts'
import { flushFile } from './atomic.ts'
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
      flushFile(fd)
    } catch (error) {
      // What cannot be flushed holds nothing of ours (fsync(2)).
      if (!isErrno(error, 'EINVAL')) throw error
    } finally {
      closeSync(fd)
    }
  }
}

/** What the kernel says when a disk takes no more, in coreutils' untranslated words (strerror(3)). */
const REASONS: [words: RegExp, code: ErrorCode][] = [
  [/No space left on device|Disk quota exceeded/, 'NO_SPACE'],
  [/Read-only file system/, 'READ_ONLY'],
  [/Permission denied|Operation not permitted/, 'PERMISSION'],
  [/No such file or directory/, 'NOT_FOUND'],
]

/**
 * Flushes the whole file system that holds `path` by syncfs(2). Node has no
 * binding for it; coreutils' `sync --file-system` is that call (sync(1)).
 * Throws IO when it fails, or the fitting one of NO_SPACE, READ_ONLY, PERMISSION, NOT_FOUND.
 */
export async function syncFilesystem(path: string): Promise<void> {
  try {
    await runSystemCommand('sync', ['--file-system', path], { env: { ...process.env, LC_ALL: 'C' } })
  } catch (cause) {
    const said = String((cause as { stderr?: unknown }).stderr ?? '').trim()
    // Not run at all, or killed: that is no word of the disk's.
    if (said === '') throw cause
    const code = REASONS.find(([words]) => words.test(said))?.[1] ?? 'IO'
    throw new PkgError(code, `${path} cannot be flushed: ${said.split(': ').at(-1)}`, { cause })
  }
}
