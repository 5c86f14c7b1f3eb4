// The threads that read and verify blocks for the mount server, so that its main
// thread, which answers the kernel, never waits for a disk and never hashes.

import { Worker } from 'node:worker_threads'
import { PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import type { CID } from '../store/cid.ts'
import type { ReaderData, ReadReply, ReadRequest } from './reader-thread.ts'

/**
 * Reader threads, at most: each takes some 10 MB. Measured on 2 cores, `ls -lR` and then a
 * read of 20,000 small files from the disk's cache: no difference between 2 and 4.
 */
const READERS = 2

type Pending = {
  count: number
  resolve: (reply: ReadReply) => void
  reject: (error: Error) => void
}
type Reader = { worker: Worker; pending: Map<number, Pending>; load: number }

export type ReadResult = Uint8Array | PkgError

export class Readers {
  readonly #file: string
  readonly #data: ReaderData
  readonly #readers: Reader[] = []
  #nextId = 0
  #nextSpare = 0

  /** `file` is a module that calls `serveReads` when it runs in a thread. */
  constructor(file: string, { blocks, quarantine }: Pick<PrefixPaths, 'blocks' | 'quarantine'>) {
    this.#file = file
    this.#data = { blocks, quarantine }
    this.#start()
  }

  /** Threads that run now. */
  get count(): number {
    return this.#readers.length
  }

  /** Blocks that were asked for and are not here yet. */
  get load(): number {
    return this.#readers.reduce((sum, { load }) => sum + load, 0)
  }

  /** The verified bytes of each block, or the error for it. Never rejects. */
  async blocks(cids: readonly CID[]): Promise<ReadResult[]> {
    try {
      const reply = await this.#send('blocks', cids)
      if (reply.kind !== 'blocks') throw new Error('a reader mixed up its answers')
      return reply.blocks.map((result) =>
        result instanceof Uint8Array ? result : new PkgError(result.code, result.message),
      )
    } catch (cause) {
      return cids.map((cid) => new PkgError('IO', `block ${cid} cannot be read: its reader ended`, { cause }))
    }
  }

  /** Bytes of each block's file, unverified; -1 when it is not there. Never rejects. */
  async sizes(cids: readonly CID[]): Promise<Float64Array> {
    try {
      const reply = await this.#send('sizes', cids)
      if (reply.kind === 'sizes') return reply.sizes
    } catch {
      // As if they were not there: reading them will say what is wrong.
    }
    return new Float64Array(cids.length).fill(-1)
  }

  /** Takes the memory of a block that nobody needs any more; every view of it is empty from now on. */
  recycle(buffer: ArrayBuffer): void {
    const reader = this.#readers[this.#nextSpare++ % this.#readers.length]
    reader?.worker.postMessage({ kind: 'spare', buffer } satisfies ReadRequest, [buffer])
  }

  /** Ends the threads that have nothing to do, but for one: each takes some 10 MB. */
  rest(): void {
    for (const reader of this.#readers.filter(({ load }) => load === 0).slice(1)) {
      this.#leave(reader)
      void reader.worker.terminate()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map(({ worker }) => worker.terminate()))
  }

  #send(kind: 'blocks' | 'sizes', cids: readonly CID[]): Promise<ReadReply> {
    const reader = this.#choose()
    const id = this.#nextId++
    const packed = pack(cids)
    return new Promise((resolve, reject) => {
      reader.pending.set(id, { count: cids.length, resolve, reject })
      reader.load += cids.length
      reader.worker.postMessage({ id, kind, cids: packed } satisfies ReadRequest, [
        packed.buffer as ArrayBuffer,
      ])
    })
  }

  /** The one with the least to do; another one is started as long as that is more than nothing. */
  #choose(): Reader {
    const least = this.#readers.reduce(
      (best, other) => (other.load < best.load ? other : best),
      this.#readers[0] ?? this.#start(),
    )
    return least.load > 0 && this.#readers.length < READERS ? this.#start() : least
  }

  #start(): Reader {
    const worker = new Worker(this.#file, { workerData: this.#data })
    const reader: Reader = { worker, pending: new Map(), load: 0 }
    this.#readers.push(reader)
    worker.on('message', (reply: ReadReply) => {
      const pending = reader.pending.get(reply.id)
      if (pending === undefined) return
      reader.pending.delete(reply.id)
      reader.load -= pending.count
      pending.resolve(reply)
    })
    // A thread that dies (out of memory, say) takes its questions along: they are
    // answered with an error, for an unanswered one blocks a caller for ever.
    worker.on('error', (error) => console.error(`a reader thread failed: ${error.message}`))
    worker.on('exit', () => {
      this.#leave(reader)
      for (const { reject } of reader.pending.values()) reject(new Error('the reader thread ended'))
    })
    return reader
  }

  /** Nobody asks it any more. */
  #leave(reader: Reader): void {
    const index = this.#readers.indexOf(reader)
    if (index >= 0) this.#readers.splice(index, 1)
  }
}

function pack(cids: readonly CID[]): Uint8Array {
  const packed = new Uint8Array(cids.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let at = 0
  for (const { bytes } of cids) {
    packed.set(bytes, at)
    at += bytes.length
  }
  return packed
}
