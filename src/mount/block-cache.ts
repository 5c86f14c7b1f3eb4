// Verified blocks in memory, within a bound, the longest unused going first.
// Keeps invariant 1: what is in here was verified after it was read, and what
// was dropped is read and verified anew. Failures are not kept: a block that is
// healed or arrives later is found at the next try.
//
// The memory of large blocks is used again for the next ones. So a block is either
// given or lent. What was given, to whoever asked for it by `get`, `peek` or `load`, is
// theirs for as long as they keep it: its memory is never used again. What was lent may
// be looked at until its borrower lets the event loop go on, and not after: then its
// memory is used again, or freed at once when the cache drops it.
// A block is known by its hash alone: the same bytes may lie at many places of many DAGs,
// and be a leaf at one and a node at another.

import type { BlockGetter } from '../store/blocks/blocks.ts'
import { identityBytes, isIdentity } from '../store/blocks/hash.ts'
import { type BlockKey, blockKey, type CID, RAW } from '../store/cid.ts'
import { type Later, NotLoaded, retry } from './later.ts'
import { LARGE_BLOCK } from './reader-thread.ts'
import type { ReadResult } from './readers.ts'

/** Small blocks that one reader thread is asked for at once when they are read ahead. */
const BATCH = 16

/** A cached block costs its bytes and about so much of bookkeeping. */
const OVERHEAD_BYTES = 300

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

/** `given`: somebody may hold its bytes. */
type Cached = { readonly bytes: Uint8Array; given: boolean }
type Loading = { readonly promise: Promise<Uint8Array>; given: boolean }

export class BlockCache implements BlockGetter {
  readonly #source: BlockSource
  readonly #limit: number
  /** in the order of their last use, the oldest first */
  readonly #blocks = new Map<BlockKey, Cached>()
  readonly #loading = new Map<BlockKey, Loading>()
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
    return this.#found(cid, this.peek(cid))
  }

  /** The block's bytes if they are in memory. */
  peek(cid: CID): Uint8Array | undefined {
    if (isIdentity(cid)) return identityBytes(cid)
    const cached = this.#use(cid)
    if (cached === undefined) return undefined
    cached.given = true
    return cached.bytes
  }

  /** As `get`, but lent. */
  lend(cid: CID): Uint8Array {
    return this.#found(cid, isIdentity(cid) ? identityBytes(cid) : this.#use(cid)?.bytes)
  }

  /** The block's bytes, read when they are not in memory. Rejects with MISSING_BLOCK, CORRUPT_BLOCK, UNSUPPORTED, IO. */
  load(cid: CID): Promise<Uint8Array> {
    const known = this.peek(cid)
    if (known !== undefined) return Promise.resolve(known)
    const loading = this.#load(cid)
    loading.given = true
    return loading.promise
  }

  /** As `load`, but lent. */
  async loadLent(cid: CID): Promise<Uint8Array> {
    const known = isIdentity(cid) ? identityBytes(cid) : this.#use(cid)?.bytes
    return known ?? this.#load(cid).promise
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
      for (const { promise } of this.#read(list.slice(at, at + batch))) promise.catch(() => {})
    }
  }

  /**
   * Lets go of a large raw block that was read to its end: the kernel has it now, and its
   * memory serves for the next one, unless it was given to somebody.
   */
  release(cid: CID): void {
    const key = blockKey(cid)
    const cached = this.#blocks.get(key)
    if (cached === undefined || cached.given) return
    const { bytes } = cached
    if (cid.code !== RAW || bytes.length < LARGE_BLOCK) return
    this.#forget(key, bytes)
    // Who waited for it may be about to run: those come before this.
    setImmediate(() => this.#source.recycle(bytes.buffer as ArrayBuffer))
  }

  /** Lets go of all that is in memory; what is under way comes, and stays. */
  rest(): void {
    for (const [key, cached] of this.#blocks) this.#drop(key, cached)
  }

  /** What `compute` gives, see `retry`. It sees what it needed before even if the cache let go. */
  with<T>(compute: (getter: BlockGetter) => T): Later<T> {
    const held = new Map<BlockKey, Uint8Array>()
    const getter = { get: (cid: CID) => held.get(blockKey(cid)) ?? this.get(cid) }
    return retry(
      () => compute(held.size === 0 ? this : getter),
      async (cid) => held.set(blockKey(cid), await this.load(cid)),
    )
  }

  #use(cid: CID): Cached | undefined {
    const key = blockKey(cid)
    const cached = this.#blocks.get(key)
    if (cached === undefined) return undefined
    this.#blocks.delete(key)
    this.#blocks.set(key, cached)
    return cached
  }

  #found(cid: CID, bytes: Uint8Array | undefined): Uint8Array {
    if (bytes === undefined) throw new NotLoaded(cid)
    this.#counts.hits++
    return bytes
  }

  #load(cid: CID): Loading {
    const loading = this.#loading.get(blockKey(cid))
    if (loading !== undefined) return loading
    this.#counts.misses++
    return this.#read([cid])[0] as Loading
  }

  #read(cids: readonly CID[]): Loading[] {
    const results = this.#source.blocks(cids)
    return cids.map((cid, index) => {
      const key = blockKey(cid)
      const promise = results.then((all) => {
        this.#loading.delete(key)
        const result = all[index] as ReadResult
        if (result instanceof Uint8Array) return this.#keep(key, { bytes: result, given: loading.given })
        this.#counts.failed++
        throw result
      })
      const loading: Loading = { promise, given: false }
      this.#loading.set(key, loading)
      return loading
    })
  }

  #keep(key: BlockKey, cached: Cached): Uint8Array {
    this.#blocks.set(key, cached)
    this.#counts.bytes += cached.bytes.length + OVERHEAD_BYTES
    for (const [oldest, other] of this.#blocks) {
      // One block always stays: who asked for it is about to use it.
      if (this.#counts.bytes <= this.#limit || oldest === key) break
      this.#drop(oldest, other)
    }
    return cached.bytes
  }

  /** What nobody holds is free at once: V8 would look for it some 50 MB later. */
  #drop(key: BlockKey, { bytes, given }: Cached): void {
    this.#forget(key, bytes)
    if (!given) setImmediate(() => (bytes.buffer as ArrayBuffer).transfer(0))
  }

  #forget(key: BlockKey, bytes: Uint8Array): void {
    this.#blocks.delete(key)
    this.#counts.bytes -= bytes.length + OVERHEAD_BYTES
  }
}
