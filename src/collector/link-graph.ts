// All nodes below some roots as numbers: what is asked of many roots at once
// (which of them lead here?) costs one walk over the index then, whatever their number.
//
// A node is a block under a codec: the same bytes have links as dag-pb and none as raw.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode } from '../errors.ts'
import { type BlockKey, blockKey, type CID, RAW } from '../store/cid.ts'
import type { Links } from '../store/links/closure.ts'

/** Nodes between two turns of the event loop: a few ms of work. */
const NODES_A_TURN = 2048

export type WalkOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((nodes: number) => void) | undefined
}

/** Nodes have the numbers 0, 1, …; each one has been found from one with a lower number, or is a root. */
export class LinkGraph {
  /** nodes whose links cannot be had: missing, damaged */
  readonly unreadable: CID[] = []
  readonly #numbers = new Map<string, number>()
  readonly #codecs = new Set<number>([RAW])
  /** by node */
  readonly #codecOf: number[] = []
  /** by node: where its links begin in #links */
  readonly #starts: number[] = []
  readonly #links: number[] = []
  #waiting: CID[] = []

  get size(): number {
    return this.#numbers.size
  }

  /** The node's number; a new one is walked by the next `walk`. */
  add(cid: CID): number {
    const name = nodeName(cid.code, blockKey(cid))
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#numbers.size
    this.#numbers.set(name, number)
    this.#codecs.add(cid.code)
    this.#codecOf.push(cid.code)
    this.#waiting.push(cid)
    return number
  }

  /** Reads the links of all that was added, and of what they lead to, giving way to timers now and then. */
  async walk(store: Links, { signal, onProgress }: WalkOptions = {}): Promise<void> {
    // In the order of their numbers, which is the order of #starts.
    while (this.#waiting.length > 0) {
      const turn = this.#waiting
      this.#waiting = []
      for (const cid of turn) {
        this.#starts.push(this.#links.length)
        for (const child of this.#childrenOf(store, cid)) this.#links.push(this.add(child))
        if (this.#starts.length % NODES_A_TURN !== 0) continue
        onProgress?.(this.size)
        await nextTurn()
        signal?.throwIfAborted()
      }
    }
  }

  /** The numbers of the nodes whose block this is. */
  *nodesOf(key: BlockKey): Generator<number> {
    for (const codec of this.#codecs) {
      const number = this.#numbers.get(nodeName(codec, key))
      if (number !== undefined) yield number
    }
  }

  /** Every node with its number, in their order. */
  *nodes(): Generator<[number: number, key: BlockKey, codec: number]> {
    for (const [name, number] of this.#numbers) {
      const codec = this.#codecOf[number]!
      yield [number, codec === RAW ? name : name.slice(1), codec]
    }
  }

  /** What each node is linked from: those of node n lie in `links` from `starts[n]` to `starts[n + 1]`. */
  parents(): { starts: Int32Array; links: Int32Array } {
    const starts = new Int32Array(this.size + 1)
    for (const child of this.#links) starts[child + 1]! += 1
    for (let node = 0; node < this.size; node++) starts[node + 1]! += starts[node]!
    const links = new Int32Array(this.#links.length)
    const next = starts.slice()
    for (let node = 0; node < this.size; node++) {
      for (const child of this.#childNumbers(node)) links[next[child]!++] = node
    }
    return { starts, links }
  }

  /**
   * All nodes, each one after those that link to it. Hashes make cycles impossible, but an index
   * can be damaged: what lies on one comes last, in the order of its numbers.
   */
  parentsFirst(): Int32Array {
    const waits = new Int32Array(this.size)
    for (const child of this.#links) waits[child]! += 1
    const order = new Int32Array(this.size)
    let end = 0
    for (let node = 0; node < this.size; node++) if (waits[node] === 0) order[end++] = node
    for (let at = 0; at < end; at++) {
      for (const child of this.#childNumbers(order[at]!)) {
        waits[child]! -= 1
        if (waits[child] === 0) order[end++] = child
      }
    }
    for (let node = 0; end < this.size; node++) if (waits[node]! > 0) order[end++] = node
    return order
  }

  *#childNumbers(node: number): Generator<number> {
    const end = this.#starts[node + 1] ?? this.#links.length
    for (let at = this.#starts[node]!; at < end; at++) yield this.#links[at]!
  }

  #childrenOf(store: Links, cid: CID): readonly CID[] {
    if (cid.code === RAW) return []
    try {
      return store.children(cid)
    } catch (error) {
      if (hasCode(error, 'BAD_NODE', 'UNSUPPORTED')) return []
      if (!hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK')) throw error
      this.unreadable.push(cid)
      return []
    }
  }
}

function nodeName(codec: number, key: BlockKey): string {
  return codec === RAW ? key : `${String.fromCharCode(codec)}${key}`
}
