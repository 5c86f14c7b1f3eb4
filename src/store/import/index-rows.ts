// What an import already knows for the link index, so that nothing has to read
// its nodes again to walk them.

import { DAG_PB } from '../cid.ts'
import type { IndexNode } from '../links/index-db.ts'
import type { Store } from '../store.ts'
import { type ImportBlock, type Part, unpackCid } from './nodes.ts'

/** Links a transaction: enough to share its cost, few enough not to keep other processes waiting. */
const BATCH_LINKS = 4096

/** The codec is the second byte of a CIDv1. */
const CODEC_AT = 1

const NO_LINKS = new Uint8Array(0)

export class IndexRows {
  readonly #store: Store
  #nodes: IndexNode[] = []
  #links = 0

  constructor(store: Store) {
    this.#store = store
  }

  addBlocks(blocks: readonly ImportBlock[]): void {
    for (const { cid, links } of blocks) {
      if (cid.code !== DAG_PB) continue
      const packed = Buffer.from(links.map((link) => link.cid).join(''), 'latin1')
      this.#add({ cid, packed }, links.length)
    }
  }

  /** Blocks that a worker thread wrote: they have no links, but a small executable is a node all the same. */
  addParts(parts: readonly Part[]): void {
    for (const { cid } of parts) {
      if (cid.charCodeAt(CODEC_AT) === DAG_PB) this.#add({ cid: unpackCid(cid), packed: NO_LINKS }, 0)
    }
  }

  flush(): void {
    if (this.#nodes.length > 0) this.#store.index.put(this.#nodes)
    this.#nodes = []
    this.#links = 0
  }

  #add(node: IndexNode, links: number): void {
    this.#nodes.push(node)
    this.#links += 1 + links
    if (this.#links >= BATCH_LINKS) this.flush()
  }
}
