// Trees in a store, and what real trees look like.

import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import type { Store } from '../../src/store/store.ts'
import { type DiskEntry, writeTree } from '../helpers/disk-tree.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

export async function add(store: Store, directory: string): Promise<CID> {
  return withAdd(store, async (session) => (await importTree(session, directory)).cid)
}

export async function storeWith(t: TestContext, entries: Iterable<DiskEntry>) {
  const store = await temporaryStore(t)
  const source = join(await temporaryDirectory(t), 'tree')
  writeTree(source, entries)
  return { store, source, cid: await add(store, source) }
}

/** Every entry below `root`: type, mode, time, and bytes or target. */
export function describe(root: string, path = ''): Record<string, string> {
  const place = join(root, path)
  const stats = lstatSync(place)
  const type = stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'symlink' : 'file'
  const content = stats.isDirectory()
    ? ''
    : stats.isSymbolicLink()
      ? readlinkSync(place)
      : readFileSync(place, 'base64')
  const own = { [path]: `${type} ${content}` }
  if (!stats.isDirectory()) return own
  return Object.assign(own, ...readdirSync(place).map((name) => describe(root, join(path, name))))
}
