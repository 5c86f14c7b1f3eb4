// Blocks on their way to the writer: gathered, so that a batch pays once for the
// temp pin's record and the look at the collector's lock. File contents are read
// into one buffer that is used again after each batch, which is what bounds an
// import's memory whatever its input.

import type { BlockWriter } from '../add/writer.ts'
import { CHUNK_BYTES } from './format.ts'
import type { ImportBlock, Making } from './nodes.ts'

/** Room for contents. A few chunks are enough for a batch to be worth its overhead. */
const ARENA_BYTES = 4 * CHUNK_BYTES

/** The most blocks, and bytes of blocks outside the arena, that wait for a flush. */
const MAX_BLOCKS = 256
const MAX_LOOSE_BYTES = 4 * CHUNK_BYTES

export type Figures = { blocks: number; newBlocks: number; newBytes: number }

export const noFigures = (): Figures => ({ blocks: 0, newBlocks: 0, newBytes: 0 })

type OutboxOptions = {
  writer: Pick<BlockWriter, 'write'>
  /** called with the blocks of a batch once they are written */
  onWritten?: (blocks: readonly ImportBlock[]) => void
}

export class Outbox {
  #figures: Figures = noFigures()
  readonly #writer: Pick<BlockWriter, 'write'>
  readonly #onWritten: OutboxOptions['onWritten']
  /** Made on first use: a tree of symlinks has no contents. */
  #arena: Buffer | undefined
  #used = 0
  #loose = 0
  #blocks: ImportBlock[] = []

  constructor({ writer, onWritten }: OutboxOptions) {
    this.#writer = writer
    this.#onWritten = onWritten
  }

  /** `length` bytes to read into, at most a chunk; they stay as they are until the next flush. */
  async room(length: number): Promise<Buffer> {
    this.#arena ??= Buffer.allocUnsafeSlow(ARENA_BYTES)
    if (this.#used + length > ARENA_BYTES) await this.flush()
    const from = this.#used
    this.#used += length
    return this.#arena.subarray(from, from + length)
  }

  /** Takes the blocks that `making` yields; they are written by a flush, now or later. */
  async run<T>(making: Making<T>): Promise<T> {
    for (;;) {
      const step = making.next()
      if (step.done) return step.value
      this.#blocks.push(step.value)
      if (step.value.bytes.buffer !== this.#arena?.buffer) this.#loose += step.value.bytes.length
      if (this.#blocks.length >= MAX_BLOCKS || this.#loose >= MAX_LOOSE_BYTES) await this.flush()
    }
  }

  /** Writes what has gathered. Throws what BlockWriter.write throws. */
  async flush(): Promise<void> {
    const blocks = this.#blocks
    this.#blocks = []
    if (blocks.length > 0) {
      const { written, present, writtenBytes } = await this.#writer.write(blocks)
      this.#figures.blocks += written + present
      this.#figures.newBlocks += written
      this.#figures.newBytes += writtenBytes
      this.#onWritten?.(blocks)
    }
    this.#loose = 0
    this.#used = 0
  }

  /** What was written since the last call. */
  takeFigures(): Figures {
    const figures = this.#figures
    this.#figures = noFigures()
    return figures
  }
}
