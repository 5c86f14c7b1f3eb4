// Registries whose blocks are not all here: what is said, and what goes on.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findRecord, resolve } from '../../src/install/resolve.ts'
import { createRegistry } from '../../src/registry/directory.ts'
import { recordPath } from '../../src/registry/layout.ts'
import { search } from '../../src/registry/search.ts'
import { addRegistry, listRegistries } from '../../src/registry/subscribe.ts'
import { packagesOf } from '../../src/registry/tree.ts'
import type { CID } from '../../src/store/cid.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { type Home, openHome, publishNew } from './home.ts'

/** Subscriptions `first` with alpha and beta, and `second` with gamma. */
async function twoRegistries(t: TestContext): Promise<Home & { root: CID }> {
  const home = await openHome(t)
  const contents = { first: ['alpha', 'beta'], second: ['gamma'] }
  for (const [name, packages] of Object.entries(contents)) {
    const registry = join(home.directory, name)
    await createRegistry(home.store, registry)
    for (const one of packages) await publishNew({ ...home, registry }, one, '1.0.0')
    await addRegistry(home.store, { name, source: registry })
  }
  const [first] = listRegistries(home.store)
  assert.ok(first?.name === 'first')
  return { ...home, root: first.root }
}

/** Takes a block of the registry's tree away, and gives a function that puts it back. */
async function lose({ store }: Home, cid: CID): Promise<() => Promise<void>> {
  const bytes = store.blocks.get(cid)
  store.blocks.delete(cid)
  const { withAdd } = await import('../../src/store/add/add.ts')
  return () => withAdd(store, async (add) => void (await add.put([{ cid, bytes }])))
}

const names = (home: Home, onDamage?: (registry: string) => void) =>
  search(home.store, '', { onDamage })
    .map(({ name }) => name)
    .sort()

test('a look-up that a missing block ends names the registry', async (t) => {
  const home = await twoRegistries(t)
  await lose(home, resolvePath(home.store.blocks, home.root, recordPath('alpha')).cid)
  const error = { code: 'MISSING_BLOCK', message: /^the registry first cannot be read: / }
  await assert.rejects(resolve(home.store, 'alpha'), error)
  await assert.rejects(findRecord(home.store, 'alpha'), error)
  assert.equal((await resolve(home.store, 'beta')).registry, 'first')
})

test('a version that is not there: the error names the registry that was asked', async (t) => {
  const home = await twoRegistries(t)
  await assert.rejects(resolve(home.store, 'gamma@^2'), { code: 'NO_VERSION', message: /registry second/ })
})

test('suggestions come from the registries that can be read', async (t) => {
  const home = await twoRegistries(t)
  const { root } = home
  const shard = recordPath('alpha').split('/').slice(0, 2).join('/')
  await lose(home, resolvePath(home.store.blocks, root, shard).cid)
  await assert.rejects(resolve(home.store, 'gamm'), { code: 'NO_PACKAGE', hint: 'Did you mean gamma?' })
})

test('search leaves out what cannot be read, names its registry, and has all again when it is back', async (t) => {
  const home = await twoRegistries(t)
  const shard = recordPath('alpha').split('/').slice(0, 2).join('/')
  const back = await lose(home, resolvePath(home.store.blocks, home.root, shard).cid)
  const damaged: string[] = []
  assert.deepEqual(
    names(home, (registry) => damaged.push(registry)),
    ['beta', 'gamma'],
  )
  assert.deepEqual(damaged, ['first'])
  await back()
  assert.deepEqual(
    names(home, () => assert.fail('nothing is missing')),
    ['alpha', 'beta', 'gamma'],
  )
})

test('search shows what it knew of a registry of which nothing can be read', async (t) => {
  const home = await twoRegistries(t)
  assert.equal(names(home).length, 3)
  const registry = join(home.directory, 'first')
  await publishNew({ ...home, registry }, 'delta', '1.0.0')
  const { root } = await addRegistry(home.store, { name: 'first', source: registry })
  const back = await lose(home, packagesOf(home.store.blocks, root))
  const damaged: string[] = []
  assert.deepEqual(
    names(home, (name) => damaged.push(name)),
    ['alpha', 'beta', 'gamma'],
  )
  assert.deepEqual(damaged, ['first'])
  await back()
  assert.deepEqual(names(home), ['alpha', 'beta', 'delta', 'gamma'])
})
