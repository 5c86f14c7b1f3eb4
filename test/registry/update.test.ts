// Updating several registries, some of which cannot be.

import assert from 'node:assert/strict'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { resolve } from '../../src/install/resolve.ts'
import { createRegistry } from '../../src/registry/directory.ts'
import { addRegistry } from '../../src/registry/subscribe.ts'
import { subscriptionsDirectory } from '../../src/registry/subscription.ts'
import { updateRegistry } from '../../src/registry/update.ts'
import { type Home, openHome, publishNew } from './home.ts'

/** Subscriptions `a` and `b`, each with a tool of its name. */
async function twoRegistries(t: TestContext): Promise<{ a: Home; b: Home }> {
  const home = await openHome(t)
  const a = { ...home, registry: join(home.directory, 'reg-a') }
  const b = { ...home, registry: join(home.directory, 'reg-b') }
  for (const [name, one] of Object.entries({ a, b })) {
    await createRegistry(one.store, one.registry)
    await publishNew(one, `tool-${name}`, '1.0.0')
    await addRegistry(one.store, { name, source: one.registry })
  }
  return { a, b }
}

test('a registry that is gone is named, and keeps none of the others from being updated', async (t) => {
  const { a, b } = await twoRegistries(t)
  rmSync(a.registry, { recursive: true })
  await publishNew(b, 'tool-b', '2.0.0')
  const [gone, updated] = await updateRegistry(b.store)
  assert.deepEqual([gone?.name, gone?.ok, gone?.changed], ['a', false, false])
  assert.ok(hasCode(gone?.error, 'NOT_FOUND'))
  assert.equal(gone?.error?.message, `${a.registry} is gone`)
  assert.equal(gone?.error?.hint, '`pkg registry remove a` takes it away')
  assert.deepEqual([updated?.name, updated?.ok, updated?.changed], ['b', true, true])
  assert.equal((await resolve(b.store, 'tool-b')).version, '2.0.0')
  // Its last known state is used.
  assert.equal((await resolve(b.store, 'tool-a')).registry, 'a')
})

test('a directory that is a registry no more, and a subscription that is damaged, are told likewise', async (t) => {
  const { a, b } = await twoRegistries(t)
  renameSync(join(a.registry, 'registry.json'), join(a.registry, 'old.json'))
  const [first, second] = await updateRegistry(b.store)
  assert.match(first?.error?.message ?? '', /reg-a is not a registry/)
  assert.equal(first?.error?.hint, '`pkg registry remove a` takes it away')
  assert.equal(second?.ok, true)
  writeFileSync(join(subscriptionsDirectory(b.store.paths), 'a.json'), '{')
  const [damaged, good] = await updateRegistry(b.store)
  assert.deepEqual([damaged?.name, damaged?.ok, damaged?.root], ['a', false, undefined])
  assert.match(damaged?.error?.hint ?? '', /pkg registry remove a/)
  assert.equal(good?.ok, true)
})

test('a name that is not subscribed to is refused before anything is updated', async (t) => {
  const { a } = await twoRegistries(t)
  await publishNew(a, 'tool-a', '2.0.0')
  await assert.rejects(updateRegistry(a.store, ['a', 'c']), (error) => hasCode(error, 'NOT_FOUND'))
  assert.equal((await resolve(a.store, 'tool-a')).version, '1.0.0')
})
