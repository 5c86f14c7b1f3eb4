// The mark: which blocks the roots reach. Keyed by multihash, since that is what
// a block file is; but a node is expanded once a codec, because the same bytes
// have links as dag-pb and none as raw.
//
// Nearly all blocks are raw leaves and dag-pb nodes by sha2-256: those go through
// as numbers in a table, straight from the packed links of the index, without an
// object each. What is anything else goes the same way more slowly.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode } from '../errors.ts'
import { type BlockKey, blockKey, CID, DAG_PB, multihashOfKey, RAW } from '../store/cid.ts'
import { isPlain, type LinkVisitor, plainCid, visitLinks } from '../store/links/packed-links.ts'
import type { Store } from '../store/store.ts'
import { BlockSet, isSha256 } from './block-set.ts'
import { Flags, NumberStack } from './numbers.ts'

/** Work between two turns of the event loop: a few ms, so that the locks we hold are renewed. */
const NODES_A_TURN = 1024
/** So many links count as a node. */
const LINKS_A_NODE = 32
const PLAIN_LINK_BYTES = 36

/** A part of a DAG is legal to pin, and may lack millions of blocks. */
export const MAX_NAMED = 100

export type LinkSource = Pick<Store, 'children'> & {
  /** the packed links of a dag-pb node, when they are at hand */
  packedChildren?: (node: Uint8Array) => Uint8Array | undefined
}

/** The links of a store: from its index as they are, else from the block. */
export function linksOfStore(store: Store): LinkSource {
  return {
    children: (cid) => store.children(cid),
    packedChildren: (node) => store.index.packedChildren(node),
  }
}

export class Marker {
  readonly alive: BlockSet
  /** Blocks that a root reaches but that are not here; `noteLost` adds those whose links are known, or that have none. */
  incomplete: CID[] = []
  /** The same of nodes that are here and damaged, or were and lie in the quarantine. */
  damaged: CID[] = []
  readonly #source: LinkSource
  readonly #isQuarantined: (cid: CID) => boolean
  /** dag-pb nodes by their number in `alive`: those that were met, and those among them still to be expanded */
  readonly #met = new Flags()
  readonly #waiting = new NumberStack()
  /** blocks that an add names one by one, by their number in `alive` */
  readonly #coming = new Flags()
  readonly #othersMet = new Set<string>()
  readonly #othersWaiting: CID[] = []
  /** what is being visited now */
  #packed: Uint8Array = new Uint8Array()
  readonly #visitor: LinkVisitor = {
    plain: (codec, at) => this.#addPlain(codec, this.#packed, at),
    other: (cid) => this.add(cid),
  }

  /** `expected`: about how many blocks there are. */
  constructor(source: LinkSource, isQuarantined: (cid: CID) => boolean = () => false, expected = 0) {
    this.alive = new BlockSet(expected)
    this.#source = source
    this.#isQuarantined = isQuarantined
  }

  /** Keeps one block, and nothing that it links to: it may be on its way here. */
  keep(key: BlockKey): void {
    const multihash = multihashOfKey(key)
    this.alive.add(multihash)
    if (isSha256(multihash)) this.#coming.raise(this.alive.addDigest(multihash, 2))
  }

  keepDigest(digest: Uint8Array): void {
    this.alive.addDigest(digest, 0)
  }

  /** Keeps all that `cid` reaches, as soon as `run` has ended. Cheap for what was added before. */
  add(cid: CID): void {
    if (isPlain(cid)) this.#addPlain(cid.code, cid.multihash.bytes, 2)
    else {
      this.alive.add(cid.multihash.bytes)
      this.#addOther(cid)
    }
  }

  /**
   * Adds to `incomplete` what roots reach and has no file, also where the index knows its links: of
   * blocks by sha2-256, and MAX_NAMED of them at most. `isThere` tells by the number in `alive`.
   */
  noteLost(isThere: (id: number) => boolean): void {
    const known = new Set([...this.incomplete, ...this.damaged].map(blockKey))
    for (let id = 0; id < this.alive.ids && this.incomplete.length < MAX_NAMED; id++) {
      if (isThere(id) || this.#coming.isUp(id)) continue
      const cid = CID.decode(plainCid(this.#met.isUp(id) ? DAG_PB : RAW, this.alive.digest(id)))
      if (!known.has(blockKey(cid))) this.incomplete.push(cid)
    }
  }

  /** Looks again at nodes whose links could not be had: those that `isThere` now. */
  retry(isThere: (cid: CID) => boolean): void {
    const again = [...this.incomplete, ...this.damaged].filter(isThere)
    if (again.length === 0) return
    this.incomplete = this.incomplete.filter((cid) => !again.includes(cid))
    this.damaged = this.damaged.filter((cid) => !again.includes(cid))
    this.#othersWaiting.push(...again)
  }

  /** Expands about so many nodes of what waits; true when nothing is left. */
  step(nodes: number): boolean {
    for (let left = nodes; left > 0; left--) {
      const id = this.#waiting.pop()
      if (id !== undefined) {
        left -= this.#expandPlain(plainCid(DAG_PB, this.alive.digest(id)))
        continue
      }
      const cid = this.#othersWaiting.pop()
      if (cid === undefined) return true
      for (const child of this.#children(cid)) this.add(child)
    }
    return this.#waiting.length === 0 && this.#othersWaiting.length === 0
  }

  /** Expands all, giving way to timers now and then. */
  async run({ signal, onProgress }: { signal?: AbortSignal; onProgress?: (blocks: number) => void } = {}) {
    while (!this.step(NODES_A_TURN)) {
      onProgress?.(this.alive.size)
      await nextTurn()
      signal?.throwIfAborted()
    }
    onProgress?.(this.alive.size)
  }

  #addPlain(codec: number, bytes: Uint8Array, at: number): void {
    const id = this.alive.addDigest(bytes, at)
    if (codec === RAW) return
    if (codec !== DAG_PB) this.#addOther(CID.decode(plainCid(codec, this.alive.digest(id))))
    else if (this.#met.raise(id)) this.#waiting.push(id)
  }

  #addOther(cid: CID): void {
    if (cid.code === RAW) return
    const node = `${cid.code} ${blockKey(cid)}`
    if (isNew(this.#othersMet, node)) this.#othersWaiting.push(cid)
  }

  /** Gives as how many nodes more than one its links count. */
  #expandPlain(node: Uint8Array): number {
    const packed = this.#source.packedChildren?.(node)
    if (packed === undefined) {
      for (const child of this.#children(CID.decode(node))) this.add(child)
      return 0
    }
    this.#packed = packed
    visitLinks(packed, this.#visitor)
    return packed.length / (PLAIN_LINK_BYTES * LINKS_A_NODE)
  }

  #children(cid: CID): readonly CID[] {
    try {
      return this.#source.children(cid)
    } catch (error) {
      // Not a node of its codec, or of a hash that we cannot check: it is kept, and has no links that we can see.
      if (hasCode(error, 'BAD_NODE', 'UNSUPPORTED')) return []
      if (!hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK')) throw error
      // A part of a DAG is a legal thing to pin; damage is for damage.ts to judge.
      const damaged = hasCode(error, 'CORRUPT_BLOCK') || this.#isQuarantined(cid)
      ;(damaged ? this.damaged : this.incomplete).push(cid)
      return []
    }
  }
}

function isNew(set: Set<string>, value: string): boolean {
  return set.size < set.add(value).size
}
