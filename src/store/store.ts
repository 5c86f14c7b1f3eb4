// A prefix, opened: block files, and the link index when something needs it.

import { existsSync, mkdirSync } from 'node:fs'
import { isErrno, PkgError } from '../errors.ts'
import { type PrefixPaths, prefixPaths } from '../paths.ts'
import { Blocks } from './blocks.ts'
import { type CID, RAW } from './cid.ts'
import { LinkIndex } from './index-db.ts'
import { linksOf } from './links.ts'
import { makeShards } from './shards.ts'

/** Freshly read links are written to the index this many at a time: a transaction each would cost more than the reading. */
const PENDING_NODES = 1024

export class Store {
  readonly paths: PrefixPaths
  readonly blocks: Blocks
  #index: LinkIndex | undefined
  #pending: { cid: CID; children: CID[] }[] = []

  /** Opens the store of a prefix whose directories exist; see `Store.open`. */
  constructor(paths: PrefixPaths) {
    this.paths = paths
    this.blocks = new Blocks(paths)
  }

  /**
   * Opens a prefix, making what is missing of its directories. Idempotent, and
   * safe beside others doing the same. Throws PERMISSION, READ_ONLY, NO_SPACE.
   */
  static open(prefix: string): Store {
    const paths = prefixPaths(prefix)
    makePrefix(paths)
    return new Store(paths)
  }

  /** The link index, opened on first use: many commands never need it. */
  get index(): LinkIndex {
    this.#index ??= new LinkIndex(this.paths.index)
    return this.#index
  }

  /**
   * The links of a node, from the index or else from its block, which is then
   * indexed. Throws MISSING_BLOCK, CORRUPT_BLOCK, BAD_NODE.
   */
  children(cid: CID): readonly CID[] {
    if (cid.code === RAW) return []
    const known = this.index.children(cid)
    if (known) return known
    const children = linksOf(cid, this.blocks.get(cid))
    this.#pending.push({ cid, children })
    if (this.#pending.length >= PENDING_NODES) this.flush()
    return children
  }

  /** Writes what `children` has learned to the index. */
  flush(): void {
    if (this.#pending.length === 0) return
    this.index.put(this.#pending)
    this.#pending = []
  }

  close(): void {
    this.flush()
    this.#index?.close()
    this.#index = undefined
  }
}

function makePrefix(paths: PrefixPaths): void {
  try {
    // blocks/.tmp is made last: where it exists, all the others do.
    if (existsSync(paths.blocksTemp)) return
    const directories = [
      paths.store,
      paths.tempPins,
      paths.pinsPerUser,
      paths.profilesPerUser,
      paths.quarantine,
    ]
    for (const directory of directories) mkdirSync(directory, { recursive: true })
    makeShards(paths.blocks)
    mkdirSync(paths.blocksTemp, { recursive: true })
  } catch (cause) {
    if (!isErrno(cause, 'EACCES', 'EPERM', 'EROFS')) throw cause
    throw new PkgError('PERMISSION', `${paths.root} cannot be written`, {
      hint: 'Run `pkg init` as root, or set PKG_PREFIX to a directory of your own.',
      cause,
    })
  }
}
