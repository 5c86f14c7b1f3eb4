// Registries beside other processes: publishers at once, and publishers that are killed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { encodeManifest } from '../../src/packages/manifest.ts'
import { listPins } from '../../src/pins/pins.ts'
import { createRegistry, openRegistry } from '../../src/registry/directory.ts'
import { publish } from '../../src/registry/publish.ts'
import { addRegistry, listRegistries } from '../../src/registry/subscribe.ts'
import { subscriptionsDirectory } from '../../src/registry/subscription.ts'
import { packageNames, readRecord } from '../../src/registry/tree.ts'
import { updateRegistry } from '../../src/registry/update.ts'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { missingBlocks } from '../../src/store/links/closure.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const CHILD = join(import.meta.dirname, 'child.ts')

async function openHome(t: TestContext) {
  const directory = await temporaryDirectory(t)
  const store = Store.open(join(directory, 'prefix'))
  t.after(() => store.close())
  const registry = join(directory, 'reg')
  await createRegistry(store, registry)
  return { store, registry }
}

function createPackage(store: Store, name: string): Promise<CID> {
  return withAdd(store, async (add) => {
    const content = encodeManifest({ format: 1, name, version: '1.0.0', programs: [] })
    const { cid } = await buildTree(add, [{ path: '.pkg/manifest.json', content }])
    await add.commit([cid])
    return cid
  })
}

/** Runs child.ts; resolves to the signal that ended it, or its exit status. */
function elsewhere(args: string[], killAt?: string): Promise<string | number | null> {
  const env = { ...process.env, ...(killAt === undefined ? {} : { PKG_TEST_KILL_AT: killAt }) }
  const child = spawn(process.execPath, [CHILD, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (status, signal) => resolve(signal ?? status))
  })
}

function publishElsewhere(store: Store, registry: string, cids: CID[], killAt?: string) {
  return elsewhere(['publish', store.paths.root, registry, ...cids.map(String)], killAt)
}

test('three processes publishing at once all take effect', async (t) => {
  const { store, registry } = await openHome(t)
  const names = ['a', 'b', 'c'].map((process) => ['1', '2', '3', '4'].map((count) => process + count))
  const ends = names.map(async (group) => {
    const cids = await Promise.all(group.map((name) => createPackage(store, name)))
    return publishElsewhere(store, registry, cids)
  })
  assert.deepEqual(await Promise.all(ends), [0, 0, 0])
  const { root } = openRegistry(store, registry)
  assert.deepEqual([...packageNames(store.blocks, root)].sort(), names.flat().sort())
  assert.deepEqual(missingBlocks(store, root), [])
})

const steps: [point: string, taken: boolean][] = [
  ['registry:built', false],
  ['registry:committed', false],
  ['registry:linked', true],
]
for (const [point, taken] of steps) {
  test(`killed at ${point} the registry is the ${taken ? 'new' : 'old'} one, whole, and a rerun succeeds`, async (t) => {
    const { store, registry } = await openHome(t)
    await publish(store, registry, await createPackage(store, 'before'))
    const before = openRegistry(store, registry).root
    const cid = await createPackage(store, 'after')
    assert.equal(await publishElsewhere(store, registry, [cid], point), 'SIGKILL')
    const { root } = openRegistry(store, registry)
    assert.equal(!root.equals(before), taken)
    assert.deepEqual(missingBlocks(store, root), [])
    // A killed holder's lock goes stale after ten seconds; nobody else is here to wait for.
    rmSync(join(registry, 'lock.lock'), { recursive: true, force: true })
    await publish(store, registry, cid)
    assert.ok(readRecord(store.blocks, openRegistry(store, registry).root, 'after'))
  })
}

const updateSteps: [point: string, taken: boolean][] = [
  ['registry:subscription-pinned', false],
  ['registry:subscription-written', true],
]
for (const [point, taken] of updateSteps) {
  test(`an update killed at ${point} has taken the ${taken ? 'new' : 'old'} root, which is pinned`, async (t) => {
    const { store, registry } = await openHome(t)
    const { root: before } = await addRegistry(store, { name: 'main', source: registry })
    const { root: after } = await publish(store, registry, await createPackage(store, 'tool'))
    assert.equal(await elsewhere(['update', store.paths.root], point), 'SIGKILL')
    const pinned = async () =>
      (await listPins(store)).flatMap(({ prog, cid }) => (prog === 'registry-main' ? [String(cid)] : []))
    const [subscription] = listRegistries(store)
    assert.equal(String(subscription?.root), String(taken ? after : before))
    assert.ok((await pinned()).includes(String(subscription?.root)))
    const lock = join(subscriptionsDirectory(store.paths), 'lock.lock')
    rmSync(lock, { recursive: true, force: true })
    await updateRegistry(store)
    assert.deepEqual(await pinned(), [String(after)])
  })
}
