// A prefix, opened: block files, and the link index when something needs it.

import { type PrefixPaths, prefixPaths } from '../paths.ts'
import { AddSession } from './add/add.ts'
import { Blocks } from './blocks/blocks.ts'
import { type CID, RAW } from './cid.ts'
import { type IndexNode, LinkIndex } from './links/index-db.ts'
import { packedLinksOf } from './links/links.ts'
import { NO_LINKS, unpackLinks } from './links/packed-links.ts'
import { ensurePrefix, requirePrefix } from './prefix.ts'

/** Freshly read links are written to the index this many at a time: a transaction each would cost more than the reading. */
const PENDING_NODES = 1024
/** So many bytes of packed links count as a node more, about 32 links: a hostile one has 190,000. */
const BYTES_A_NODE = 1024

/** For stores that are not simply what lies below the prefix: other blocks, an index elsewhere (`:memory:`). */
export type StoreParts = { blocks?: Blocks; index?: string }

export class Store {
  readonly paths: PrefixPaths
  readonly blocks: Blocks
  readonly #indexFile: string
  #index: LinkIndex | undefined
  #pending: IndexNode[] = []
  #pendingNodes = 0

  /** The store of a prefix whose directories exist; see `open` and `openExisting`. */
  constructor(paths: PrefixPaths, { blocks = new Blocks(paths), index = paths.index }: StoreParts = {}) {
    this.paths = paths
    this.blocks = blocks
    this.#indexFile = index
  }

  /**
   * Opens a prefix to add to it, making it where none is. Idempotent, and safe
   * beside others doing the same. Throws PERMISSION, READ_ONLY, NO_SPACE,
   * NOT_DIRECTORY, and NOT_FOUND for a prefix that lost a part.
   */
  static open(prefix: string): Store {
    const paths = prefixPaths(prefix)
    ensurePrefix(paths)
    return new Store(paths)
  }

  /** Opens a prefix that is there; this user need not be able to write it. Throws NOT_FOUND with what is missing. */
  static openExisting(prefix: string): Store {
    const paths = prefixPaths(prefix)
    requirePrefix(paths)
    return new Store(paths)
  }

  /** The link index, opened on first use: many commands never need it. */
  get index(): LinkIndex {
    this.#index ??= new LinkIndex(this.#indexFile)
    return this.#index
  }

  /**
   * The links of a node, from the index or else from its block, which is then
   * indexed. Throws MISSING_BLOCK, CORRUPT_BLOCK, BAD_NODE.
   */
  children(cid: CID): readonly CID[] {
    return cid.code === RAW ? [] : unpackLinks(this.packedChildren(cid))
  }

  /** The same, packed (store/links/packed-links.ts). */
  packedChildren(cid: CID): Buffer {
    if (cid.code === RAW) return NO_LINKS
    const known = this.index.packedChildren(cid)
    if (known) return known
    const packed = packedLinksOf(cid, this.blocks.get(cid))
    this.#pending.push({ cid, packed })
    this.#pendingNodes += 1 + packed.length / BYTES_A_NODE
    if (this.#pendingNodes >= PENDING_NODES) this.flush()
    return packed
  }

  /** Writes what `children` has learned to the index. */
  flush(): void {
    if (this.#pending.length === 0) return
    this.index.put(this.#pending)
    this.#pending = []
    this.#pendingNodes = 0
  }

  /** Begins to add: everything that is written goes through a session. Prefer `withAdd`, which closes it. */
  openAdd(): AddSession {
    return new AddSession(this)
  }

  close(): void {
    this.flush()
    this.#index?.close()
    this.#index = undefined
  }
}
