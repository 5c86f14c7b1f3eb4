// What an import already knows for the link index, so that nothing has to read
// the blocks again: the links of nodes, the sizes of blocks.

import { DAG_PB } from '../cid.ts'
import type { IndexNode, IndexSize } from '../index-db.ts'
import type { Store } from '../store.ts'
import { type ImportBlock, type Part, unpackCid } from './nodes.ts'

/** Rows a transaction: enough to share its cost, few enough not to keep others waiting. */
const BATCH_ROWS = 2048

export class IndexRows {
  readonly #store: Store
  #nodes: IndexNode[] = []
  #sizes: IndexSize[] = []

  constructor(store: Store) {
    this.#store = store
  }

  addBlocks(blocks: readonly ImportBlock[]): void {
    for (const { cid, bytes, links } of blocks) {
      this.#sizes.push({ multihash: cid.multihash.bytes, size: bytes.length })
      if (cid.code === DAG_PB) this.#nodes.push({ cid, children: links.map((link) => unpackCid(link.cid)) })
    }
    this.#flushFull()
  }

  /** Blocks that a worker thread wrote: they have no links. */
  addParts(parts: readonly Part[]): void {
    for (const part of parts) {
      const cid = unpackCid(part.cid)
      this.#sizes.push({ multihash: cid.multihash.bytes, size: part.size })
      if (cid.code === DAG_PB) this.#nodes.push({ cid, children: [] })
    }
    this.#flushFull()
  }

  flush(): void {
    if (this.#sizes.length > 0) this.#store.index.put(this.#nodes, this.#sizes)
    this.#nodes = []
    this.#sizes = []
  }

  #flushFull(): void {
    if (this.#sizes.length >= BATCH_ROWS) this.flush()
  }
}
