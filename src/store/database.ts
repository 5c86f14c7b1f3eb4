// Databases of what can be rebuilt, in SQLite. The only module that loads better-sqlite3.
//
// Whatever is wrong with the files must stop nobody: damaged ones, also such where
// a statement meets the damage first, those that somebody keeps locked, and those that
// others than their owner could open and lock, are thrown away and made anew; where there is
// no room, no directory, or no right to write, an empty database in memory stands in. Then the
// files are as they were: who must not leave in them what is no longer true throws
// them away (`dropFiles`), which needs no room, and makes some.
//
// A process that has files open which another one threw away goes on with them
// until it notices (`refresh`).

import { rmSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { isErrno } from '../errors.ts'
import { syncFiles } from '../files/barrier.ts'
import { isOpenToOthers, makeLockedFile } from '../files/modes.ts'

/** SQLite's name for no file. */
const IN_MEMORY = ':memory:'

/** How long a statement waits for another process's write, in ms; writes are short transactions. */
const BUSY_MS = 30_000

/** The result codes (SQLite's rescode.html) that say what to do; extended ones begin with them. */
const DAMAGED = ['SQLITE_CORRUPT', 'SQLITE_NOTADB']
/** Somebody keeps a lock for longer than any of ours is kept. */
const LOCKED = ['SQLITE_BUSY', 'SQLITE_PROTOCOL']
/** IOERR_SHMSIZE and others of that kind are what a full file system looks like below WAL mode. */
const NO_ROOM = ['SQLITE_FULL', 'SQLITE_IOERR']
const NO_FILE = ['SQLITE_CANTOPEN', 'SQLITE_READONLY']

/**
 * With less free than this, in bytes, files are not opened: SQLite maps the `-shm`
 * file, 32 KiB, and where blocks are smaller than pages leaves holes in it. A
 * process that writes to one ends by SIGBUS when there is no block for it.
 */
const ROOM_BYTES = 1024 * 1024

/** `version` is raised with every change of the tables; a file of another one is thrown away. */
export type Schema = { version: number; tables: string }

export type SqliteDatabase = Database.Database

/** A connection, and what was made for it: prepared statements, say. */
type Opened<S> = { db: SqliteDatabase; made: S }

export class RebuildableDatabase<S> {
  readonly #file: string
  readonly #open: (file: string) => Opened<S>
  #opened: Opened<S>
  /** of the file that the path named when the database was opened */
  #identity: string | undefined

  /** `make` is run for every connection: again when the files are made anew. */
  constructor(file: string, schema: Schema, make: (db: SqliteDatabase) => S) {
    this.#file = file
    this.#open = (place) => openChecked(place, schema, make)
    this.#opened = openFile(file, this.#open)
    this.#identity = identityOf(file)
  }

  /**
   * Runs `fn`, which may run twice, the second time on an empty database: give it
   * what can be repeated. Throws what `fn` throws of its own.
   */
  use<T>(fn: (made: S, db: SqliteDatabase) => T): T {
    try {
      return fn(this.#opened.made, this.#opened.db)
    } catch (error) {
      // A file that this user may only read is opened while somebody else has it open; the first write tells.
      if (isSqlite(error, ...NO_ROOM, 'SQLITE_READONLY')) this.#reopen({ inMemory: true })
      // Damaged files that somebody else has replaced already need no second replacement.
      else if (isSqlite(error, ...DAMAGED, ...LOCKED))
        this.#reopen({ anew: identityOf(this.#file) === this.#identity })
      else throw error
      return fn(this.#opened.made, this.#opened.db)
    }
  }

  /** True when it is not in the files. */
  get inMemory(): boolean {
    return this.#opened.db.memory
  }

  /** Goes over to the files that everybody opens now, where those it has open were thrown away. */
  refresh(): void {
    if (identityOf(this.#file) !== this.#identity) this.#reopen()
  }

  /** Throws the files away and begins with empty ones: whatever was wrong with them is gone. */
  clear(): void {
    this.#reopen({ anew: true })
  }

  /** Throws the files away and goes on in memory. Files that this user may not delete stay. */
  dropFiles(): void {
    this.#reopen({ anew: true, inMemory: true })
  }

  close(): void {
    this.#opened.db.close()
  }

  #reopen({ anew = false, inMemory = false } = {}): void {
    this.#opened.db.close()
    const stay = anew && !throwAway(this.#file)
    this.#opened = stay || inMemory ? this.#open(IN_MEMORY) : openFile(this.#file, this.#open)
    this.#identity = identityOf(this.#file)
  }
}

/** Opens the file, a new one where it is damaged or foreign, or else a database in memory. */
function openFile<S>(file: string, open: (file: string) => Opened<S>): Opened<S> {
  if (!hasPlace(dirname(file))) return open(IN_MEMORY)
  // Somebody may have it open, and locked, ever since they could: by new files nobody is kept waiting.
  if ([file, `${file}-wal`, `${file}-shm`].some(isOpenToOthers) && !throwAway(file)) return open(IN_MEMORY)
  for (let tries = 1; ; tries++) {
    try {
      return open(file)
    } catch (error) {
      if (isSqlite(error, ...NO_FILE, ...NO_ROOM)) return open(IN_MEMORY)
      if (tries > 1 || !isSqlite(error, ...DAMAGED, ...LOCKED, 'SQLITE_ERROR')) throw error
      if (!throwAway(file)) return open(IN_MEMORY)
    }
  }
}

function openChecked<S>(
  file: string,
  { version, tables }: Schema,
  make: (db: SqliteDatabase) => S,
): Opened<S> {
  // SQLite gives the `-wal` and `-shm` files, which it locks, the same mode.
  if (file !== IN_MEMORY) makeLockedFile(file)
  const db = new Database(file, { timeout: BUSY_MS })
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    const makeTables = db.transaction(() => {
      const found = db.pragma('user_version', { simple: true })
      if (found === version) return
      dropAll(db)
      db.exec(tables)
    })
    makeTables.immediate()
    return { db, made: make(db) }
  } catch (error) {
    db.close()
    throw error
  }
}

function dropAll(db: SqliteDatabase): void {
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all() as string[]
  for (const name of names) db.exec(`DROP TABLE IF EXISTS "${name}"`)
}

/** False also where the directory is not there yet: SQLite makes none, and a reader has no business to. */
function hasPlace(directory: string): boolean {
  try {
    const { blocks, bavail, bfree, bsize } = statfsSync(directory)
    // Some file systems tell nothing; the last blocks of some are for root alone.
    return blocks === 0 || (process.getuid?.() === 0 ? bfree : bavail) * bsize >= ROOM_BYTES
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    // Opening the file will say what is wrong.
    if (isErrno(error, 'EACCES', 'ENOSYS')) return true
    throw error
  }
}

/** Unlinks the files; no power cut brings them back. False where this user may not. */
function throwAway(file: string): boolean {
  try {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { recursive: true, force: true })
    syncFiles([dirname(file)])
    return true
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** Which file a path names now. */
function identityOf(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  // The birth time too: a freed inode is given again at once.
  return stats && `${stats.dev} ${stats.ino} ${stats.birthtimeMs}`
}

/** True for an error of SQLite's with one of these primary or extended codes. */
function isSqlite(error: unknown, ...codes: string[]): boolean {
  return (
    error instanceof Database.SqliteError &&
    codes.some((code) => error.code === code || error.code.startsWith(`${code}_`))
  )
}
