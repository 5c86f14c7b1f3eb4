// Listing and switching stay quick: what they load is followed through the sources.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'

const source = join(import.meta.dirname, '..', '..', 'src')

/** Everything that `entry` imports when it is loaded: dynamic imports and types are not. */
function loaded(entry: string, found = new Set<string>()): Set<string> {
  const name = entry.startsWith(source) ? relative(source, entry) : entry
  if (found.has(name)) return found
  found.add(name)
  if (!entry.endsWith('.ts')) return found
  assert.ok(existsSync(entry), entry)
  const text = readFileSync(entry, 'utf8')
  const imports = text.matchAll(/^(?:import|export) (?!type )(?:[^'"]*? from )?'([^']+)'/gms)
  for (const [, target = ''] of imports)
    loaded(target.startsWith('.') ? resolve(dirname(entry), target) : target, found)
  return found
}

const heavy =
  /^(better-sqlite3|ipfs-unixfs|ipfs-unixfs-importer|helia|@helia|libp2p|hamt-sharding|blockstore-fs|ajv|yargs|fuse-native)(\/|$)/

for (const entry of ['profile', 'switch', 'history', 'environment', 'journal']) {
  test(`light: profiles/${entry} loads no database, importer or network`, () => {
    const all = [...loaded(join(source, 'profiles', `${entry}.ts`))]
    assert.deepEqual(
      all.filter((name) => heavy.test(name) || name.startsWith('store/import/')),
      [],
    )
    assert.ok(all.length > 2 || entry === 'journal')
  })
}
