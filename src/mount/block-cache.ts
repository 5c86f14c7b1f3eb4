// Verified blocks in memory, within a bound, the longest unused going first.
// Keeps invariant 1: what is in here was verified after it was read, and what
// was dropped is read and verified anew. Failures are not kept: a block that is
// healed or arrives later is found at the next try.

import type { BlockGetter } from '../store/blocks.ts'
import { type BlockKey, blockKey, type CID, RAW } from '../store/cid.ts'
import { identityBytes, isIdentity } from '../store/hash.ts'
import { LARGE_BLOCK } from './reader-thread.ts'
import type { ReadResult } from './readers.ts'

/** Small blocks that one reader thread is asked for at once when they are read ahead. */
const BATCH = 16

/** A cached block costs its bytes and about so much of bookkeeping. */
const OVERHEAD_BYTES = 300

/** Thrown by `get` for a block that is not in memory: no error, the computation goes on when it is. */
export class NotLoaded {
  readonly cid: CID

  constructor(cid: CID) {
    this.cid = cid
  }
}

export interface BlockSource {
  blocks(cids: readonly CID[]): Promise<ReadResult[]>
  recycle(buffer: ArrayBuffer): void
}

export type CacheCounts = {
  bytes: number
  blocks: number
  hits: number
  misses: number
  ahead: number
  failed: number
}

export class BlockCache implements BlockGetter {
  readonly #source: BlockSource
  readonly #limit: number
  /** in the order of their last use, the oldest first */
  readonly #blocks = new Map<BlockKey, Uint8Array>()
  readonly #loading = new Map<BlockKey, Promise<Uint8Array>>()
  readonly #counts: CacheCounts = { bytes: 0, blocks: 0, hits: 0, misses: 0, ahead: 0, failed: 0 }

  constructor(source: BlockSource, { bytes }: { bytes: number }) {
    this.#source = source
    this.#limit = bytes
  }

  get counts(): Readonly<CacheCounts> {
    return { ...this.#counts, blocks: this.#blocks.size }
  }

  /** The most that is worth reading ahead: more would push out what was read ahead before it. */
  get aheadBytes(): number {
    return Math.floor(this.#limit / 4)
  }

  /** The block's bytes if they are in memory; else throws NotLoaded. */
  get(cid: CID): Uint8Array {
    const bytes = this.peek(cid)
    if (bytes === undefined) throw new NotLoaded(cid)
    this.#counts.hits++
    return bytes
  }

  peek(cid: CID): Uint8Array | undefined {
    if (isIdentity(cid)) return identityBytes(cid)
    const key = blockKey(cid)
    const bytes = this.#blocks.get(key)
    if (bytes === undefined) return undefined
    this.#blocks.delete(key)
    this.#blocks.set(key, bytes)
    return bytes
  }

  /** The block's bytes, read when they are not in memory. Rejects with MISSING_BLOCK, CORRUPT_BLOCK, UNSUPPORTED, IO. */
  load(cid: CID): Promise<Uint8Array> {
    const known = this.peek(cid)
    if (known !== undefined) return Promise.resolve(known)
    const loading = this.#loading.get(blockKey(cid))
    if (loading !== undefined) return loading
    this.#counts.misses++
    const [promise] = this.#read([cid])
    return promise as Promise<Uint8Array>
  }

  /**
   * Begins to read those that are neither in memory nor under way. Errors wait
   * for who asks for the block. `large` ones are spread over the reader threads.
   */
  ahead(cids: readonly CID[], { large = false }: { large?: boolean } = {}): void {
    const batch = large ? 1 : BATCH
    const wanted = new Map<BlockKey, CID>()
    for (const cid of cids) {
      const key = blockKey(cid)
      if (!isIdentity(cid) && !this.#blocks.has(key) && !this.#loading.has(key)) wanted.set(key, cid)
    }
    const list = [...wanted.values()]
    this.#counts.ahead += list.length
    for (let at = 0; at < list.length; at += batch) {
      for (const promise of this.#read(list.slice(at, at + batch))) promise.catch(() => {})
    }
  }

  /**
   * Lets go of a large raw block that was read to its end: the kernel has it now,
   * and its memory serves for the next one. Detaching makes every view of it
   * empty, so a view that somebody still holds can never show another block.
   */
  release(cid: CID): void {
    const key = blockKey(cid)
    const bytes = this.#blocks.get(key)
    if (bytes === undefined || cid.code !== RAW || bytes.length < LARGE_BLOCK) return
    this.#blocks.delete(key)
    this.#counts.bytes -= bytes.length + OVERHEAD_BYTES
    this.#source.recycle(bytes.buffer as ArrayBuffer)
  }

  /**
   * What `compute` gives, at once if all its blocks are in memory, else as a
   * promise: `compute` runs again after each block that it lacked, so it must be
   * free of side effects. It sees what it needed before even if the cache let go.
   */
  with<T>(compute: (getter: BlockGetter) => T): T | Promise<T> {
    try {
      return compute(this)
    } catch (error) {
      if (error instanceof NotLoaded) return this.#withLoaded(compute, error)
      throw error
    }
  }

  async #withLoaded<T>(compute: (getter: BlockGetter) => T, first: NotLoaded): Promise<T> {
    const held = new Map<BlockKey, Uint8Array>()
    const getter = { get: (cid: CID) => held.get(blockKey(cid)) ?? this.get(cid) }
    for (let missing = first; ; ) {
      held.set(blockKey(missing.cid), await this.load(missing.cid))
      try {
        return compute(getter)
      } catch (error) {
        if (!(error instanceof NotLoaded)) throw error
        missing = error
      }
    }
  }

  #read(cids: readonly CID[]): Promise<Uint8Array>[] {
    const results = this.#source.blocks(cids)
    return cids.map((cid, index) => {
      const key = blockKey(cid)
      const promise = results.then((all) => {
        this.#loading.delete(key)
        const result = all[index] as ReadResult
        if (result instanceof Uint8Array) return this.#keep(key, result)
        this.#counts.failed++
        throw result
      })
      this.#loading.set(key, promise)
      return promise
    })
  }

  #keep(key: BlockKey, bytes: Uint8Array): Uint8Array {
    this.#blocks.set(key, bytes)
    this.#counts.bytes += bytes.length + OVERHEAD_BYTES
    for (const [oldest, block] of this.#blocks) {
      // One block always stays: who asked for it is about to use it.
      if (this.#counts.bytes <= this.#limit || oldest === key) break
      this.#blocks.delete(oldest)
      this.#counts.bytes -= block.length + OVERHEAD_BYTES
    }
    return bytes
  }
}
