// The reads that a file takes: one, or as many as it has spans.

import type { Stats } from 'node:fs'
import { join } from 'node:path'
import type { Link } from './encode.ts'
import { CHUNK_BYTES } from './format.ts'
import type { Part } from './nodes.ts'
import type { ReadResult, ReadTask } from './read.ts'
import type { QueuedRead } from './read-queue.ts'
import { signatureOf } from './source.ts'

/** A larger file is read in spans of this size, which several threads share. */
const SPAN_BYTES = 8 * CHUNK_BYTES

/** A directory with entries to come. */
export type OpenDirectory = {
  path: string
  /** the same below the imported root; '' for the root */
  below: string
  entries: Link[]
  /** entries that are not made yet, and one more while the walk is in it */
  awaited: number
  /** where it goes itself; undefined above the root */
  parent: { directory: OpenDirectory; name: string } | undefined
}

/** What happens with the content of files. */
export type FileSink = {
  /** `bytes` more were read */
  onBytes(bytes: number): void
  /** all of the file `name` was */
  onFile(directory: OpenDirectory, name: string, result: ReadResult): void
}

type FileHere = { directory: OpenDirectory; name: string; stat: Stats }

export function readsOf({ directory, name, stat }: FileHere, sink: FileSink): QueuedRead[] {
  if (stat.size <= SPAN_BYTES) return [new WholeRead(directory, name, { bytes: stat.size, sink })]
  const path = join(directory.path, name)
  const signature = signatureOf(stat)
  const spans: Part[][] = []
  let missing = Math.ceil(stat.size / SPAN_BYTES)
  return Array.from({ length: missing }, (_, index) => {
    const offset = index * SPAN_BYTES
    const length = Math.min(SPAN_BYTES, stat.size - offset)
    return {
      bytes: length,
      task: () => ({ path, span: { offset, length, signature } }),
      done: ({ parts, executable }) => {
        spans[index] = parts
        missing -= 1
        sink.onBytes(length)
        if (missing === 0) sink.onFile(directory, name, { parts: spans.flat(), executable })
      },
    }
  })
}

/** A class and not closures: as many wait as the walk is ahead, and this is all that each takes. */
class WholeRead implements QueuedRead {
  readonly bytes: number
  readonly #directory: OpenDirectory
  readonly #name: string
  readonly #sink: FileSink

  constructor(directory: OpenDirectory, name: string, { bytes, sink }: { bytes: number; sink: FileSink }) {
    this.bytes = bytes
    this.#directory = directory
    this.#name = name
    this.#sink = sink
  }

  task(): ReadTask {
    return { path: join(this.#directory.path, this.#name) }
  }

  done(result: ReadResult): void {
    this.#sink.onBytes(result.parts.reduce((sum, part) => sum + part.bytes, 0))
    this.#sink.onFile(this.#directory, this.#name, result)
  }
}
