// How much some blocks are: how many, the bytes in them, and the room that their files take.
//
// The two sizes are told apart everywhere: what a thing is has a size in bytes of
// content, the same on every machine; what a file system gives for it, and gets back,
// are its own units, often one of 4 KiB for a block of ten bytes.

/** The unit of `st_blocks`, whatever a file system's own is: stat(2). */
const SECTOR = 512

export type Amount = {
  blocks: number
  /** lengths of their files */
  bytes: number
  /** what the file system has given for these */
  diskBytes: number
}

export function noAmount(): Amount {
  return { blocks: 0, bytes: 0, diskBytes: 0 }
}

/** Adds to `sum`. */
export function addAmount(sum: Amount, { blocks, bytes, diskBytes }: Amount): void {
  sum.blocks += blocks
  sum.bytes += bytes
  sum.diskBytes += diskBytes
}

/** Bytes on the disk of a file with these stats. */
export function allocated(stats: { blocks: number }): number {
  return stats.blocks * SECTOR
}
