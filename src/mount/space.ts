// What statfs(2) says of the mount: the space of the file system that the blocks are on.

import { statfs } from 'node:fs/promises'
import type { Space } from './fuse.ts'
import type { Later } from './later.ts'

/** How long an answer is good for, in milliseconds: df asks some file systems many times. */
const SPACE_MS = 1000

/** In units of 4 KiB; larger ones where 32 bits would not hold the count. */
export function spaceOf(directory: string): () => Later<Space> {
  let until = 0
  let known: Promise<Space> | undefined
  return () => {
    if (known !== undefined && performance.now() < until) return known
    until = performance.now() + SPACE_MS
    known = statfs(directory).then(({ bsize, blocks, bfree, bavail }) => {
      const scale = 2 ** Math.max(0, Math.ceil(Math.log2(blocks / 2 ** 31)))
      const scaled = (count: number) => Math.floor(count / scale)
      return {
        blockSize: bsize * scale,
        blocks: scaled(blocks),
        free: scaled(bfree),
        available: scaled(bavail),
      }
    })
    return known
  }
}
