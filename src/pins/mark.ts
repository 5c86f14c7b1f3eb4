// The mark: which blocks the roots reach. Keyed by multihash, since that is what
// a block file is; but a node is expanded once a codec, because the same bytes
// have links as dag-pb and none as raw.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode } from '../errors.ts'
import { type BlockKey, type CID, multihashOfKey, RAW } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { BlockSet } from './block-set.ts'

/** Nodes between two turns of the event loop: a few ms of work, so that the locks we hold are renewed. */
const NODES_A_TURN = 2048

export class Marker {
  readonly alive = new BlockSet()
  /** Nodes that a root reaches but that are not here: what they linked to is not known. */
  readonly incomplete: CID[] = []
  /** The same of nodes that are here and damaged, or were and lie in the quarantine. */
  readonly damaged: CID[] = []
  readonly #store: Pick<Store, 'children'>
  readonly #isQuarantined: (cid: CID) => boolean
  readonly #expanded = new Map<number, BlockSet>()
  readonly #waiting: CID[] = []

  constructor(store: Pick<Store, 'children'>, isQuarantined: (cid: CID) => boolean = () => false) {
    this.#store = store
    this.#isQuarantined = isQuarantined
  }

  /** Keeps one block, and nothing that it links to. */
  keep(key: BlockKey): void {
    this.alive.add(multihashOfKey(key))
  }

  /** Keeps all that `cid` reaches, as soon as `run` has ended. Cheap for what was added before. */
  add(cid: CID): void {
    const multihash = cid.multihash.bytes
    this.alive.add(multihash)
    if (cid.code !== RAW && this.#expandedAs(cid.code).add(multihash)) this.#waiting.push(cid)
  }

  /** Expands at most `nodes` of what waits; true when nothing is left. */
  step(nodes: number): boolean {
    for (let count = 0; count < nodes; count++) {
      const cid = this.#waiting.pop()
      if (cid === undefined) return true
      for (const child of this.#children(cid)) this.add(child)
    }
    return this.#waiting.length === 0
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

  #children(cid: CID): readonly CID[] {
    try {
      return this.#store.children(cid)
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

  #expandedAs(codec: number): BlockSet {
    const set = this.#expanded.get(codec) ?? new BlockSet()
    this.#expanded.set(codec, set)
    return set
  }
}
