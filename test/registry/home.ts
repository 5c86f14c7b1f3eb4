// A prefix, a registry's place beside it, and packages to publish there.

import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { encodeManifest, type Manifest } from '../../src/packages/manifest.ts'
import { publish } from '../../src/registry/publish.ts'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

export type Home = { store: Store; directory: string; registry: string }

export async function openHome(t: TestContext): Promise<Home> {
  const directory = await temporaryDirectory(t)
  const store = Store.open(join(directory, 'prefix'))
  t.after(() => store.close())
  return { store, directory, registry: join(directory, 'reg') }
}

/** A package of one script, in the store, kept by nothing. */
export function createPackage(
  store: Store,
  name: string,
  version: string,
  more: Partial<Manifest> = {},
): Promise<CID> {
  const manifest: Manifest = { format: 1, name, version, programs: [name], ...more }
  return withAdd(store, async (add) => {
    const content = Buffer.from(`#!/bin/sh\necho ${name} ${version}\n`)
    const { cid } = await buildTree(add, [
      { path: '.pkg/manifest.json', content: encodeManifest(manifest) },
      { path: `bin/${name}`, content, executable: true },
    ])
    await add.commit([cid])
    return cid
  })
}

export async function publishNew(
  home: Home,
  name: string,
  version: string,
  more: Partial<Manifest> = {},
): Promise<CID> {
  const cid = await createPackage(home.store, name, version, more)
  await publish(home.store, home.registry, cid)
  return cid
}
