// What a node looks like to somebody who lists it: type, size, mode, time.
// Nothing in the store can be written, and everything in it can be read.

import type { BlockGetter } from '../blocks/blocks.ts'
import { type CID, RAW } from '../cid.ts'
import { decodeNode, type UnixfsNode } from './node.ts'
import type { Mtime } from './times.ts'

/** A file with no stored mode (design: import format). */
const FILE_MODE = 0o444
const DIRECTORY_MODE = 0o555
/** Linux ignores a symlink's mode and shows this one. */
const SYMLINK_MODE = 0o777
const EXECUTABLE = 0o111

export type Stat = {
  type: 'file' | 'directory' | 'symlink'
  /** bytes of a file or of a symlink's target; 0 for a directory */
  size: number
  /** permission bits only */
  mode: number
  mtime: Mtime
  target?: string
}

export type StatOptions = {
  /** the size of a block's file, so that a raw leaf need not be read to be listed */
  blockSize?: (cid: CID) => number | undefined
}

const EPOCH: Mtime = { seconds: 0, nanoseconds: 0 }

/** Throws BAD_NODE, NOT_UNIXFS, and what `getter` throws. */
export function stat(getter: BlockGetter, cid: CID, { blockSize }: StatOptions = {}): Stat {
  const size = cid.code === RAW ? blockSize?.(cid) : undefined
  if (size !== undefined) return { type: 'file', size, mode: FILE_MODE, mtime: EPOCH }
  return statOf(decodeNode(cid, getter.get(cid)))
}

/** Of a stored mode only the executable bits of a file are shown: content that is public by its CID has no other secret. */
export function statOf(node: UnixfsNode): Stat {
  const mtime = node.mtime ?? EPOCH
  switch (node.type) {
    case 'file':
      return { type: 'file', size: node.size, mode: FILE_MODE | ((node.mode ?? 0) & EXECUTABLE), mtime }
    case 'symlink':
      return {
        type: 'symlink',
        size: Buffer.byteLength(node.target),
        mode: SYMLINK_MODE,
        mtime,
        target: node.target,
      }
    default:
      return { type: 'directory', size: 0, mode: DIRECTORY_MODE, mtime }
  }
}
