// The link index: what can be rebuilt from the block files, kept in SQLite so that
// walking a DAG does not read its blocks.
// Sizes are not in it: the length of a block's file is as cheap to ask for, and never stale.
//
// It is a cache: a row that is missing, or not what was written (packed-links.ts), is
// read from the block, and damaged files are thrown away (store/database.ts). The one thing it alone knows is which DAGs were seen
// complete on stable storage; forgetting that costs a flush, never content.

import { CID } from '../cid.ts'
import { RebuildableDatabase, type SqliteDatabase } from '../database.ts'
import { closeLinks, openLinks, unpackLinks } from './packed-links.ts'

/** Raised with every change of the tables below. */
const VERSION = 3

const TABLES = `
  CREATE TABLE nodes (cid BLOB PRIMARY KEY, children BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE complete (cid BLOB PRIMARY KEY) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`

/** A node and its links, packed (packed-links.ts). */
export type IndexNode = { cid: CID; packed: Uint8Array }

export class LinkIndex {
  readonly #db: RebuildableDatabase<ReturnType<typeof prepare>>

  /** Opens or makes the database. */
  constructor(file: string) {
    this.#db = new RebuildableDatabase(file, { version: VERSION, tables: TABLES }, prepare)
  }

  /** Records the links of nodes, in one transaction. Idempotent. */
  put(nodes: readonly IndexNode[]): void {
    this.#db.use(({ putNode }, db) => {
      db.transaction(() => {
        for (const { cid, packed } of nodes) {
          const key = nodeKey(cid)
          putNode.run(key, closeLinks(key, packed))
        }
      })()
    })
  }

  /** The links of a node in their order; undefined when it is not indexed. */
  children(cid: CID): CID[] | undefined {
    const packed = this.packedChildren(cid)
    return packed && unpackLinks(packed)
  }

  /** The same, packed (packed-links.ts); a node is named by its CID, or the bytes of its CIDv1. */
  packedChildren(named: CID | Uint8Array): Buffer | undefined {
    const node = named instanceof Uint8Array ? named : nodeKey(named)
    const row = this.#db.use(({ children }) => children.get(node))
    if (row === undefined) return undefined
    const packed = openLinks(node, row)
    // Damaged. Whoever reads the block next writes it anew.
    if (packed === undefined) this.#db.use(({ deleteNode }) => deleteNode.run(node))
    return packed
  }

  /**
   * Notes that the whole DAG was in the store, on stable storage: whoever counts on it
   * need not flush it, but has to look whether it is still there (`requireComplete`).
   * Only for DAGs that a root or a temp pin protects.
   */
  markComplete(cids: Iterable<CID>): void {
    const keys = [...cids].map(nodeKey)
    this.#db.refresh()
    this.#db.use(({ markComplete }, db) => {
      db.transaction(() => {
        for (const key of keys) markComplete.run(key)
      })()
    })
  }

  isComplete(cid: CID): boolean {
    this.#db.refresh()
    return this.#db.use(({ isComplete }) => isComplete.get(nodeKey(cid))) !== undefined
  }

  /**
   * Takes markComplete back for those that `gone` says, all of them without it; gives
   * how many that were. Where the files cannot be written, they go as a whole.
   */
  clearComplete(gone: (cid: CID) => boolean = () => true): number {
    this.#db.refresh()
    if (this.#db.inMemory) this.#db.dropFiles()
    return this.#db.use(({ allComplete, clearComplete }, db) => {
      // Read before the transaction: one that reads first cannot be upgraded once another process has written.
      const keys = allComplete.all().filter((key) => {
        const cid = cidOf(key)
        return cid === undefined || gone(cid)
      })
      if (keys.length === 0) return 0
      db.transaction(() => {
        for (const key of keys) clearComplete.run(key)
      })()
      return keys.length
    })
  }

  /** The nodes noted as complete. */
  complete(): CID[] {
    this.#db.refresh()
    return this.#db.use(({ allComplete }) => allComplete.all()).flatMap((key) => cidOf(key) ?? [])
  }

  /** At most `limit` CIDv1s of nodes that are indexed, in the order of their bytes, behind `after`. */
  nodesAfter(after: Uint8Array, limit: number): Buffer[] {
    return this.#db.use(({ nodesAfter }) => nodesAfter.all(after, limit)) as Buffer[]
  }

  /** Forgets the links of nodes, in one transaction. They stay right for ever: it only saves room. */
  deleteNodes(nodes: readonly Uint8Array[]): void {
    this.#db.use(({ deleteNode }, db) => {
      db.transaction(() => {
        for (const node of nodes) deleteNode.run(node)
      })()
    })
  }

  /** Empties it, by new files. */
  clear(): void {
    this.#db.clear()
  }

  /** Gives up its files to make room, and goes on in memory. */
  dropFiles(): void {
    this.#db.dropFiles()
  }

  close(): void {
    this.#db.close()
  }
}

function prepare(db: SqliteDatabase) {
  return {
    putNode: db.prepare('INSERT OR IGNORE INTO nodes VALUES (?, ?)'),
    children: db.prepare('SELECT children FROM nodes WHERE cid = ?').pluck(),
    markComplete: db.prepare('INSERT OR IGNORE INTO complete VALUES (?)'),
    isComplete: db.prepare('SELECT 1 FROM complete WHERE cid = ?').pluck(),
    allComplete: db.prepare('SELECT cid FROM complete').pluck(),
    clearComplete: db.prepare('DELETE FROM complete WHERE cid = ?'),
    nodesAfter: db.prepare('SELECT cid FROM nodes WHERE cid > ? ORDER BY cid LIMIT ?').pluck(),
    deleteNode: db.prepare('DELETE FROM nodes WHERE cid = ?'),
  }
}

/** v0 and v1 of the same node share a row. */
function nodeKey(cid: CID): Uint8Array {
  return cid.toV1().bytes
}

/** Undefined for what damage has made of a key. */
function cidOf(key: unknown): CID | undefined {
  try {
    return CID.decode(key as Uint8Array)
  } catch {
    return undefined
  }
}
