// The link index: what can be rebuilt from the block files, kept in SQLite so that
// walking a DAG does not read its blocks. The only module that loads better-sqlite3.
// Sizes are not in it: the length of a block's file is as cheap to ask for, and never stale.
//
// It is a cache: a row that is missing is read from the block, a file that SQLite
// calls damaged is made anew. The one thing it alone knows is which DAGs were seen
// complete on stable storage; forgetting that costs a flush, never content.

import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { CID } from './cid.ts'

/** Raised with every change of the tables below; another version is thrown away and rebuilt. */
const VERSION = 2

/** How long a statement waits for another process's write, in ms; writes are short transactions. */
const BUSY_MS = 30_000

const TABLES = `
  CREATE TABLE nodes (cid BLOB PRIMARY KEY, children BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE complete (cid BLOB PRIMARY KEY) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`

export type IndexNode = { cid: CID; children: readonly Pick<CID, 'bytes'>[] }

export class LinkIndex {
  readonly #db: Database.Database
  readonly #statements: ReturnType<typeof prepare>

  /** Opens or makes the database; a damaged or foreign one is replaced by an empty one. */
  constructor(file: string) {
    this.#db = openDatabase(file, { version: VERSION, tables: TABLES })
    this.#statements = prepare(this.#db)
  }

  /** Records the links of nodes, in one transaction. Idempotent. */
  put(nodes: Iterable<IndexNode>): void {
    this.#db.transaction(() => {
      for (const { cid, children } of nodes) this.#statements.putNode.run(nodeKey(cid), packCids(children))
    })()
  }

  /** The links of a node in their order; undefined when it is not indexed. */
  children(cid: CID): CID[] | undefined {
    const packed = this.#statements.children.get(nodeKey(cid)) as Buffer | undefined
    return packed && unpackCids(packed)
  }

  /**
   * Notes that the whole DAG was in the store, on stable storage: whoever counts on it
   * need not flush it, but has to look whether it is still there (`requireComplete`).
   * Only for DAGs that a root or a temp pin protects.
   */
  markComplete(cids: Iterable<CID>): void {
    this.#db.transaction(() => {
      for (const cid of cids) this.#statements.markComplete.run(nodeKey(cid))
    })()
  }

  isComplete(cid: CID): boolean {
    return this.#statements.isComplete.get(nodeKey(cid)) !== undefined
  }

  /** Takes markComplete back for those that `gone` says, all of them without it; gives how many that were. */
  clearComplete(gone: (cid: CID) => boolean = () => true): number {
    // Read before the transaction: one that reads first cannot be upgraded once another process has written.
    const keys = (this.#statements.allComplete.all() as Buffer[]).filter((key) => gone(CID.decode(key)))
    if (keys.length === 0) return 0
    this.#db.transaction(() => {
      for (const key of keys) this.#statements.clearComplete.run(key)
    })()
    return keys.length
  }

  /** Forgets the links of deleted nodes. They would stay right for ever: it only saves room. */
  deleteNodes(cids: Iterable<CID>): void {
    this.#db.transaction(() => {
      for (const cid of cids) this.#statements.deleteNode.run(nodeKey(cid))
    })()
  }

  /** Empties it. */
  clear(): void {
    this.#db.exec('DELETE FROM nodes; DELETE FROM complete')
  }

  close(): void {
    this.#db.close()
  }
}

export type Schema = { version: number; tables: string }

/**
 * Opens a database of rebuildable things in WAL mode, with its tables made. A
 * file that is damaged or of another version is thrown away; where the prefix
 * may not be written an empty one in memory stands in.
 */
export function openDatabase(file: string, schema: Schema): Database.Database {
  try {
    return openChecked(file, schema)
  } catch (error) {
    if (isSqlite(error, 'SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_ERROR')) {
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
      return openChecked(file, schema)
    }
    if (isSqlite(error, 'SQLITE_CANTOPEN', 'SQLITE_READONLY')) return openChecked(':memory:', schema)
    throw error
  }
}

function openChecked(file: string, { version, tables }: Schema): Database.Database {
  const db = new Database(file, { timeout: BUSY_MS })
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    const make = db.transaction(() => {
      const found = db.pragma('user_version', { simple: true })
      if (found === version) return
      dropAll(db)
      db.exec(tables)
    })
    make.immediate()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function dropAll(db: Database.Database): void {
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all() as string[]
  for (const name of names) db.exec(`DROP TABLE IF EXISTS "${name}"`)
}

/** True for an error of SQLite's with one of these primary or extended codes. */
function isSqlite(error: unknown, ...codes: string[]): boolean {
  return (
    error instanceof Database.SqliteError &&
    codes.some((code) => error.code === code || error.code.startsWith(`${code}_`))
  )
}

function prepare(db: Database.Database) {
  return {
    putNode: db.prepare('INSERT OR IGNORE INTO nodes VALUES (?, ?)'),
    children: db.prepare('SELECT children FROM nodes WHERE cid = ?').pluck(),
    markComplete: db.prepare('INSERT OR IGNORE INTO complete VALUES (?)'),
    isComplete: db.prepare('SELECT 1 FROM complete WHERE cid = ?').pluck(),
    allComplete: db.prepare('SELECT cid FROM complete').pluck(),
    clearComplete: db.prepare('DELETE FROM complete WHERE cid = ?'),
    deleteNode: db.prepare('DELETE FROM nodes WHERE cid = ?'),
  }
}

/** v0 and v1 of the same node share a row. */
function nodeKey(cid: CID): Uint8Array {
  return cid.toV1().bytes
}

/** Links as one blob: CIDs in their binary form, one behind the other; each says itself how long it is. */
function packCids(cids: readonly Pick<CID, 'bytes'>[]): Uint8Array {
  return Buffer.concat(cids.map((cid) => cid.bytes))
}

function unpackCids(packed: Uint8Array): CID[] {
  const cids: CID[] = []
  let rest = packed
  while (rest.length > 0) {
    const [cid, remainder] = CID.decodeFirst(rest)
    cids.push(cid)
    rest = remainder
  }
  return cids
}
