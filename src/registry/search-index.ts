// The full-text index over the names, descriptions and programs of subscribed registries.
// A cache (SQLite, FTS5): it remembers which root of each registry it holds, and is
// brought up to date by the difference to the root in force; thrown away, it is
// built again. Nothing but `pkg search` opens it.

import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import type { PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import { CID } from '../store/cid.ts'
import { RebuildableDatabase, type Schema, type SqliteDatabase } from '../store/database.ts'
import { type Changes, type Row, readChanges } from './search-changes.ts'
import { subscriptionsDirectory } from './subscription.ts'

/** `texts` holds no text of its own: it indexes the rows of `packages`, and triggers keep it in step. */
const SCHEMA: Schema = {
  version: 2,
  tables: `
    CREATE TABLE registries (key TEXT PRIMARY KEY, root TEXT NOT NULL);
    CREATE TABLE packages (
      id INTEGER PRIMARY KEY, registry TEXT NOT NULL, name TEXT NOT NULL,
      description TEXT NOT NULL, programs TEXT NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL,
      UNIQUE (registry, name)
    );
    CREATE VIRTUAL TABLE texts USING fts5(
      name, description, programs, content='packages', content_rowid='id', prefix='2 3',
      tokenize='unicode61 remove_diacritics 2'
    );
    CREATE TRIGGER package_added AFTER INSERT ON packages BEGIN
      INSERT INTO texts (rowid, name, description, programs)
      VALUES (new.id, new.name, new.description, new.programs);
    END;
    CREATE TRIGGER package_removed AFTER DELETE ON packages BEGIN
      INSERT INTO texts (texts, rowid, name, description, programs)
      VALUES ('delete', old.id, old.name, old.description, old.programs);
    END;
    PRAGMA user_version = 2;
  `,
}

/** In the place of a registry's root: not all of it could be read. */
const IN_PART = ''

/** A match in the name, or a program's, counts for as much as this many in the description. */
const NAME_WEIGHT = 10
const PROGRAM_WEIGHT = 5

// Two ways to be found: by words that begin as the asked ones do, or by a name that holds the text anywhere.
const FIND = `
  WITH hits AS (
    SELECT rowid AS id, bm25(texts, ${NAME_WEIGHT}, 1, ${PROGRAM_WEIGHT}) AS rank FROM texts WHERE $match <> '' AND texts MATCH $match
    UNION ALL
    SELECT id, 0 AS rank FROM packages WHERE name LIKE $like ESCAPE '\\'
  )
  SELECT packages.registry AS key, name, description, programs, version, size FROM hits JOIN packages USING (id)
  WHERE packages.registry IN (SELECT value FROM json_each($keys))
  GROUP BY id
  ORDER BY name = $text COLLATE NOCASE DESC,
    CASE WHEN $text = '' THEN 0 WHEN name LIKE $prefix ESCAPE '\\' THEN length(name) ELSE 1000 END,
    min(rank), CASE WHEN $text = '' THEN 0 ELSE length(name) END, name, key
  LIMIT $limit
`

export type FoundRow = Row & { key: string }

/** Opens or makes it. Damage may be met in the middle: do all of a search in one `use`. */
export function openSearchIndex(file: string): RebuildableDatabase<SearchIndex> {
  return new RebuildableDatabase(file, SCHEMA, (db) => new SearchIndex(db))
}

export class SearchIndex {
  readonly #db: SqliteDatabase

  constructor(db: SqliteDatabase) {
    this.#db = db
  }

  /**
   * Makes the index hold `root` for the registry `key`: reads what differs from the
   * root it holds. Records that cannot be used are left out. Where parts of the
   * registry cannot be read, what is known of them stays, the next refresh reads all
   * again, and the first error is returned.
   */
  refresh(getter: BlockGetter, key: string, root: CID): PkgError | undefined {
    // Read without a lock on the database; again from the start when somebody else was faster.
    for (;;) {
      const before = this.#rootOf(key)
      if (before === root.toString()) return undefined
      const held = before === undefined || before === IN_PART ? undefined : CID.parse(before)
      const changes = readChanges(getter, held, root)
      if (this.#apply(key, before, root, changes)) return changes.damage
    }
  }

  /** The packages of these registries that fit `text`, the best first; all of them for an empty text. */
  find(text: string, keys: readonly string[], limit: number): FoundRow[] {
    const words = text.match(/[\p{L}\p{N}]+/gu) ?? []
    const literal = text.replace(/[\\%_]/g, '\\$&')
    return this.#db.prepare(FIND).all({
      text,
      match: words.map((word) => `"${word}"*`).join(' '),
      like: `%${literal}%`,
      prefix: `${literal}%`,
      keys: JSON.stringify(keys),
      limit,
    }) as FoundRow[]
  }

  /** Forgets the registries that are not among `keys` although they begin with `owner`. */
  keepOnly(owner: string, keys: readonly string[]): void {
    const known = this.#db.prepare('SELECT key FROM registries').pluck().all() as string[]
    for (const key of known) if (key.startsWith(owner) && !keys.includes(key)) this.#forget(key)
  }

  #rootOf(key: string): string | undefined {
    return this.#db.prepare('SELECT root FROM registries WHERE key = ?').pluck().get(key) as
      | string
      | undefined
  }

  #apply(key: string, before: string | undefined, root: CID, { rows, all, damage }: Changes): boolean {
    const remove = this.#db.prepare('DELETE FROM packages WHERE registry = ? AND name = ?')
    const insert = this.#db.prepare(
      'INSERT INTO packages (registry, name, description, programs, version, size) VALUES (?, ?, ?, ?, ?, ?)',
    )
    const apply = this.#db.transaction(() => {
      if (this.#rootOf(key) !== before) return false
      if (all) this.#db.prepare('DELETE FROM packages WHERE registry = ?').run(key)
      for (const [name, row] of rows) {
        remove.run(key, name)
        if (row) insert.run(key, name, row.description, row.programs, row.version, row.size)
      }
      const held = damage === undefined ? root.toString() : IN_PART
      this.#db.prepare('INSERT OR REPLACE INTO registries VALUES (?, ?)').run(key, held)
      return true
    })
    return apply.immediate()
  }

  #forget(key: string): void {
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM packages WHERE registry = ?').run(key)
      this.#db.prepare('DELETE FROM registries WHERE key = ?').run(key)
    })()
  }
}

/** The database of a prefix, or the user's own where the prefix belongs to somebody else. */
export function searchFile(
  paths: Pick<PrefixPaths, 'var' | 'search' | 'profilesPerUser'>,
  user: string,
): string {
  try {
    accessSync(paths.var, constants.W_OK)
    return paths.search
  } catch {
    return join(subscriptionsDirectory(paths, user), 'search.db')
  }
}
