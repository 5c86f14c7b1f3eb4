// What passes between an import's threads. Flat, because the clone of a message
// costs by the object and its keys, and would be dearer than reading a small file.

import type { ErrorCode } from '../../errors.ts'
import type { AddPlaces } from '../add/add.ts'
import type { Part } from './nodes.ts'
import type { Figures } from './outbox.ts'
import type { ReadResult, ReadTask } from './read.ts'

export type WorkerData = {
  paths: AddPlaces
  /** the file of the temp pin to write under */
  tempPin: string
}

/** A path stands for the task to read that whole file. */
export type WorkerBatch = readonly (string | ReadTask)[]

export type WorkerAnswer =
  | { results: PackedResults; figures: Figures }
  /** a clone of an error would lose its class */
  | { error: { code: ErrorCode; message: string; hint: string | undefined } }

export type PackedResults = {
  /** of each result: how many parts it has, negative when it is executable */
  counts: number[]
  /** of each part */
  cids: string[]
  sizes: number[]
  bytes: number[]
}

export function packResults(results: readonly ReadResult[]): PackedResults {
  const packed: PackedResults = { counts: [], cids: [], sizes: [], bytes: [] }
  for (const { parts, executable } of results) {
    packed.counts.push(executable ? -parts.length : parts.length)
    for (const part of parts) {
      packed.cids.push(part.cid)
      packed.sizes.push(part.size)
      packed.bytes.push(part.bytes)
    }
  }
  return packed
}

export function unpackResults({ counts, cids, sizes, bytes }: PackedResults): ReadResult[] {
  let next = 0
  return counts.map((count) => {
    const parts: Part[] = []
    for (const end = next + Math.abs(count); next < end; next++) {
      parts.push({ cid: cids[next]!, size: sizes[next]!, bytes: bytes[next]! })
    }
    return { parts, executable: count < 0 }
  })
}
