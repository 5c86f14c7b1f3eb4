// Is a real file what a UnixFS file says? Compared block by block with verified
// bytes, in bounded memory.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isErrno } from '../../errors.ts'
import { UNTRUSTED_FLAGS } from '../../files/small-file.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import type { FileNode } from '../unixfs/node.ts'
import { chunks } from '../unixfs/read.ts'
import { statOf } from '../unixfs/stat.ts'
import { hasTime } from '../unixfs/times.ts'

/**
 * Why `file` is not the sealed copy of `node`, in words that follow "it"; undefined
 * when it is. 'is missing' for what is not there. Throws what `getter` throws.
 */
export function whyDifferent(getter: BlockGetter, node: FileNode, file: string): string | undefined {
  let fd: number
  try {
    fd = openSync(file, UNTRUSTED_FLAGS)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'is missing'
    if (isErrno(error, 'ELOOP', 'ENXIO', 'ENODEV')) return 'is no regular file'
    throw error
  }
  try {
    return whyStatsDiffer(node, fd) ?? whyBytesDiffer(getter, node, fd)
  } finally {
    closeSync(fd)
  }
}

/** Whoever writes to a file, and does not hide it, changes its time. */
function whyStatsDiffer(node: FileNode, fd: number): string | undefined {
  const { size, mode, mtime } = statOf(node)
  const stats = fstatSync(fd)
  if (!stats.isFile()) return 'is no regular file'
  if (stats.size !== size) return `has ${stats.size} bytes, not ${size}`
  if ((stats.mode & 0o7777) !== mode) return `has mode 0${(stats.mode & 0o7777).toString(8)}`
  return hasTime(stats, mtime) ? undefined : 'was written to'
}

function whyBytesDiffer(getter: BlockGetter, node: FileNode, fd: number): string | undefined {
  let buffer = Buffer.allocUnsafe(0)
  let at = 0
  for (const bytes of chunks(getter, node)) {
    if (buffer.length < bytes.length) buffer = Buffer.allocUnsafe(bytes.length)
    const read = readSync(fd, buffer, 0, bytes.length, at)
    if (read !== bytes.length || buffer.compare(bytes, 0, bytes.length, 0, read) !== 0) {
      return `has other bytes than its CID says, from byte ${at} on`
    }
    at += read
  }
  return undefined
}
