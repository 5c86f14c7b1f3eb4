// A registry's directory that is moved: whatever opens it at its new place sees to
// it that its tree is kept from there on.

import assert from 'node:assert/strict'
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { createRegistry, openRegistry } from '../../src/registry/directory.ts'
import { publish } from '../../src/registry/publish.ts'
import { addRegistry, removeRegistry } from '../../src/registry/subscribe.ts'
import { updateRegistry } from '../../src/registry/update.ts'
import type { CID } from '../../src/store/cid.ts'
import { missingBlocks } from '../../src/store/links/closure.ts'
import { type Home, openHome, publishNew } from './home.ts'

type Moved = Home & { cid: CID }

/** A registry with tool 1.0.0, moved by the shell. */
async function moveRegistry(t: TestContext): Promise<Moved> {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  const cid = await publishNew(home, 'tool', '1.0.0')
  const registry = join(home.directory, 'moved')
  renameSync(home.registry, registry)
  return { ...home, registry, cid }
}

const OPENINGS: [title: string, open: (moved: Moved) => Promise<unknown>][] = [
  ['a publication that changes nothing', ({ store, registry, cid }) => publish(store, registry, cid)],
  [
    'a subscription to it',
    async ({ store, registry: source }) => {
      await addRegistry(store, { name: 'mine', source })
      await removeRegistry(store, 'mine')
    },
  ],
]
for (const [title, open] of OPENINGS) {
  test(`${title} keeps a registry at its new place`, async (t) => {
    const moved = await moveRegistry(t)
    await open(moved)
    await runCollection(moved.store)
    const { root } = openRegistry(moved.store, moved.registry)
    assert.deepEqual(missingBlocks(moved.store, root), [])
  })
}

test('an update keeps it too', async (t) => {
  const moved = await moveRegistry(t)
  const { store, registry, directory } = moved
  await addRegistry(store, { name: 'mine', source: registry })
  // Away and back: the subscription finds it again, its auto pin went with a collection.
  renameSync(registry, join(directory, 'away'))
  await runCollection(store)
  renameSync(join(directory, 'away'), registry)
  await updateRegistry(store)
  await removeRegistry(store, 'mine')
  await runCollection(store)
  assert.deepEqual(missingBlocks(store, openRegistry(store, registry).root), [])
})

test('a registry that a collection took after the move says so', async (t) => {
  const { store, registry, cid } = await moveRegistry(t)
  const { root } = openRegistry(store, registry)
  await runCollection(store)
  assert.equal(store.blocks.has(root), false)
  const error = {
    code: 'BAD_REGISTRY',
    message: /moved has lost its blocks: bafy\S+ is not in /,
    hint: /moved.* Else: rm (\S+) && pkg registry create (\S+), and/,
  }
  assert.throws(() => openRegistry(store, registry), error)
  await assert.rejects(publish(store, registry, cid), error)
  await assert.rejects(addRegistry(store, { name: 'mine', source: registry }), error)
  // As the hint says.
  await assert.rejects(createRegistry(store, registry), { code: 'EXISTS' })
  rmSync(join(registry, 'registry.json'))
  await createRegistry(store, registry)
  await publish(store, registry, cid)
})
