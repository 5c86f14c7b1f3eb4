// `pkg search`: the words of a user over the names, descriptions and programs of the
// registries they subscribe to.

import type { PkgError } from '../errors.ts'
import { userName } from '../paths.ts'
import type { Store } from '../store/store.ts'
import { openSearchIndex, type SearchIndex, searchFile } from './search-index.ts'
import { readSubscriptions } from './subscription.ts'

export type SearchOptions = {
  user?: string | undefined
  /** at most this many; 50 when absent */
  limit?: number
  /** Told of a registry that cannot be read, or not all of it; the search goes on with what is known of it. */
  onDamage?: ((registry: string, error: PkgError) => void) | undefined
}

export type Found = {
  name: string
  description: string
  /** the newest release, or prerelease where there is no release */
  version: string
  /** of the build for this machine, as its registry has it */
  size: number
  programs: string[]
  registry: string
}

/**
 * Packages whose name holds `text`, or whose name, description or programs have words that
 * begin with its words: the exact name first, then names that begin with it, then by
 * how well they fit; for no words at all, by name. Brings the index up to date before.
 */
export function search(
  store: Store,
  text: string,
  { user = userName(), limit = 50, onDamage }: SearchOptions = {},
): Found[] {
  const subscriptions = readSubscriptions(store.paths, user)
  const owner = `${user}/`
  const names = new Map(subscriptions.map(({ name }) => [owner + name, name]))
  const database = openSearchIndex(searchFile(store.paths, user))
  const run = (index: SearchIndex) => {
    index.keepOnly(owner, [...names.keys()])
    for (const { name, root } of subscriptions) {
      const damage = index.refresh(store.blocks, owner + name, root)
      if (damage) onDamage?.(name, damage)
    }
    const rows = index.find(text.trim(), [...names.keys()], limit)
    return rows.map(({ key, programs, ...row }) => {
      return { ...row, programs: programs.split('/').filter(Boolean), registry: names.get(key) ?? key }
    })
  }
  try {
    return database.use(run)
  } finally {
    database.close()
  }
}
