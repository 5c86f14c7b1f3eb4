// Files waiting to be read, and who reads them: this thread, and worker threads
// too once starting those costs less than it saves.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AddSession } from '../add/add.ts'
import { CHUNK_BYTES } from './format.ts'
import { type Figures, noFigures, type Outbox } from './outbox.ts'
import { type ReadResult, type ReadTask, readSource } from './read.ts'
import { ReadPool, usefulWorkers } from './read-pool.ts'

/**
 * What this thread reads alone. Others take about 60 ms to start, in which one
 * thread adds some 1,000 small files or 40 MiB (measured on the sources, two cores).
 */
const INLINE_FILES = 800
const INLINE_BYTES = 32 * CHUNK_BYTES

/** A batch: enough to outweigh a message between threads, little enough to share the work evenly. */
const BATCH_FILES = 64
const BATCH_BYTES = 4 * CHUNK_BYTES

/** How far the walk may run ahead of the reading: it bounds memory, and says how early a total is known. */
const MAX_WAITING = 50_000

/** A read that waits. Small: there are many, and what can be made when its turn comes is made then. */
export type QueuedRead = {
  /** how much there is to read, as far as the walk has seen */
  readonly bytes: number
  task(): ReadTask
  done(result: ReadResult): void
}

/** Without `add` this thread reads alone: the others write all that they read. */
type QueueOptions = { add?: AddSession | undefined; outbox: Outbox; signal?: AbortSignal | undefined }

export class ReadQueue {
  /** What worker threads wrote; what this thread wrote is in the outbox's figures. */
  readonly figures: Figures = noFigures()
  readonly #options: QueueOptions
  /** Reads from `#next` on wait; those before it are taken. */
  #reads: QueuedRead[] = []
  #next = 0
  #waitingBytes = 0
  #out: Map<ReadTask, QueuedRead> = new Map()
  #pool: ReadPool | undefined
  #failures: unknown[] = []
  #changed = Promise.withResolvers<void>()

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Takes a read; `done` is called once its blocks are written, or soon will be by the outbox. */
  submit(read: QueuedRead): void {
    this.#reads.push(read)
    this.#waitingBytes += read.bytes
    const many = this.#waiting > INLINE_FILES || this.#waitingBytes > INLINE_BYTES
    const { add } = this.#options
    if (many && add && this.#pool === undefined && usefulWorkers() > 0) this.#startPool(add)
    this.#dispatch()
  }

  /** Reads and waits until the walk may go on. Throws the first failure, or the signal's reason. */
  async room(): Promise<void> {
    this.#check()
    while (this.#waiting >= MAX_WAITING) await this.#work()
  }

  /** Reads and waits until every read so far is done. Throws like `room`. */
  async drain(): Promise<void> {
    this.#check()
    while (this.#waiting > 0 || this.#out.size > 0) await this.#work()
  }

  /** Ends the threads, after the batch that each has in work: a write is not cut in half. Idempotent. */
  async close(): Promise<void> {
    this.#reads = []
    this.#next = 0
    while (this.#pool && !this.#pool.idle) await this.#changed.promise
    await this.#pool?.close()
  }

  get #waiting(): number {
    return this.#reads.length - this.#next
  }

  /** Reads a batch on this thread, or waits for the others when none is left. */
  async #work(): Promise<void> {
    if (this.#waiting === 0) await this.#changed.promise
    for (const read of this.#take({ files: BATCH_FILES, bytes: BATCH_BYTES })) {
      read.done(await readSource(read.task(), this.#options.outbox))
    }
    await nextTurn()
    this.#check()
  }

  #startPool(add: AddSession): void {
    this.#pool = new ReadPool(add, usefulWorkers(), {
      onResults: (batch, results, figures) => {
        this.figures.blocks += figures.blocks
        this.figures.newBlocks += figures.newBlocks
        this.figures.newBytes += figures.newBytes
        batch.forEach((task, index) => {
          const result = results[index]
          if (result) this.#out.get(task)?.done(result)
          this.#out.delete(task)
        })
        this.#wake()
      },
      onError: (error) => {
        this.#failures.push(error)
        this.#wake()
      },
    })
  }

  #dispatch(): void {
    while (this.#pool?.hasRoom && this.#waiting > 0 && this.#failures.length === 0) {
      const batch = this.#take({ files: BATCH_FILES, bytes: BATCH_BYTES }).map((read) => {
        const task = read.task()
        this.#out.set(task, read)
        return task
      })
      this.#pool.send(batch)
    }
  }

  /** The next reads: at least one, and no more than these limits. */
  #take(limit: { files: number; bytes: number }): QueuedRead[] {
    let bytes = 0
    let end = this.#next
    while (end < this.#reads.length && end - this.#next < limit.files && bytes < limit.bytes) {
      bytes += this.#reads[end]!.bytes
      end += 1
    }
    const taken = this.#reads.slice(this.#next, end)
    this.#next = end
    this.#waitingBytes -= bytes
    // Cutting the taken ones off at every batch would move all the others each time.
    if (this.#next * 2 > this.#reads.length) {
      this.#reads = this.#reads.slice(this.#next)
      this.#next = 0
    }
    return taken
  }

  #wake(): void {
    this.#dispatch()
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }

  #check(): void {
    this.#options.signal?.throwIfAborted()
    if (this.#failures.length > 0) throw this.#failures[0]
  }
}
