// Killed at every step, a checkout is there whole or not at all, and the next one does
// the rest; many at once make one tree.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { addPin } from '../../src/pins/pins.ts'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { checkoutPath } from '../../src/store/checkout/names.ts'
import { verifyCheckouts } from '../../src/store/checkout/repair.ts'
import type { CID } from '../../src/store/cid.ts'
import type { Store } from '../../src/store/store.ts'
import { randomTree } from '../helpers/disk-tree.ts'
import { describe, storeWith } from './trees.ts'

const SEED = 11
const POINTS = ['staged', 'flushed', 'pooled', 'placed', 'done']
const GC_POINTS = ['gc:checkout-taken', 'gc:checkouts-removed']

/** Checks out, or collects, in a process of its own; gives its exit status, or the signal's name. */
async function child(store: Store, what: CID | 'collect', killAt?: string): Promise<number | string> {
  const command = [join(import.meta.dirname, 'child.ts'), store.paths.root, String(what)]
  const env = { ...process.env, PKG_TEST_KILL_AT: killAt }
  const running = spawn(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code, signal] = await once(running, 'exit')
  return signal ?? code
}

/** What lies in the store beside checkouts and the pool. */
const rubbish = (store: Store) => readdirSync(store.paths.store).filter((name) => /^\.(tmp|dead)-/.test(name))

for (const point of POINTS) {
  test(`killed when it is ${point}: whole or not there, and the next one makes it`, async (t) => {
    const { store, source, cid } = await storeWith(t, randomTree(SEED, 40))
    await addPin(store, { prog: 'kept', cid })
    assert.equal(await child(store, cid, `checkout:${point}`), 'SIGKILL')
    const place = checkoutPath(store.paths, cid)
    assert.equal(existsSync(place), point === 'placed' || point === 'done')
    if (existsSync(place)) assert.deepEqual(describe(place), describe(source))
    await runCollection(store)
    assert.deepEqual(rubbish(store), [])
    await checkOut(store, cid)
    assert.deepEqual(describe(place), describe(source))
    assert.deepEqual((await verifyCheckouts(store, { repair: false })).damaged, [])
  })
}

for (const point of GC_POINTS) {
  test(`a collection that is killed at "${point}" leaves whole trees, and the next one does the rest`, async (t) => {
    const { store, cid } = await storeWith(t, randomTree(SEED, 20))
    await checkOut(store, cid)
    assert.equal(await child(store, 'collect', point), 'SIGKILL')
    assert.ok(!existsSync(checkoutPath(store.paths, cid)))
    await runCollection(store)
    assert.deepEqual(rubbish(store), [])
  })
}

test('five processes at once make one tree, and none fails', async (t) => {
  const { store, source, cid } = await storeWith(t, randomTree(SEED, 40))
  const ended = await Promise.all(Array.from({ length: 5 }, () => child(store, cid)))
  assert.deepEqual(ended, [0, 0, 0, 0, 0])
  assert.deepEqual(describe(checkoutPath(store.paths, cid)), describe(source))
  assert.deepEqual(rubbish(store), [])
})
