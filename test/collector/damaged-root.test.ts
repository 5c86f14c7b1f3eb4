// What a damaged block does to the roots that reach it: nobody counts on it, and nothing else is lost.

import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode } from '../../src/errors.ts'
import { addPin } from '../../src/pins/pins.ts'
import { type CID, DAG_PB } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryStore } from '../helpers/store.ts'
import { addTree, generation, pinTree, present } from './scenario.ts'

function flipBit(store: Store, cid: CID): void {
  const file = store.blocks.file(cid)
  const bytes = readFileSync(file)
  bytes[bytes.length - 1]! ^= 1
  chmodSync(file, 0o644)
  writeFileSync(file, bytes)
}

test('a DAG that lost a block to the quarantine is not pinned as whole', async (t) => {
  const store = await temporaryStore(t)
  const { root, dag } = await pinTree(store, 'hurt')
  const leaf = [...dag.blocks.values()][0]!.cid
  flipBit(store, leaf)
  assert.throws(
    () => store.blocks.get(leaf),
    (error) => hasCode(error, 'CORRUPT_BLOCK'),
  )
  await assert.rejects(addPin(store, { prog: 'again', cid: root }), (error) => hasCode(error, 'INCOMPLETE'))
})

test('a DAG of which a block file is gone is not pinned as whole', async (t) => {
  const store = await temporaryStore(t)
  const { root, dag } = await pinTree(store, 'hurt')
  rmSync(store.blocks.file([...dag.blocks.values()][0]!.cid))
  await assert.rejects(addPin(store, { prog: 'again', cid: root }), (error) => hasCode(error, 'INCOMPLETE'))
})

/** The store as it is to somebody who opens it after its index was lost. */
function withoutIndex(t: TestContext, store: Store): Store {
  store.close()
  for (const suffix of ['', '-wal', '-shm']) rmSync(store.paths.index + suffix, { force: true })
  const again = new Store(store.paths)
  t.after(() => again.close())
  return again
}

/** A pinned DAG with a damaged node, and a dead one; the index is lost. */
async function damaged(t: TestContext, { found }: { found: boolean }) {
  const first = await temporaryStore(t)
  const hurt = await pinTree(first, 'hurt')
  const dead = await addTree(first, 'dead')
  const node = [...hurt.dag.blocks.values()].find(
    ({ cid }) => cid.code === DAG_PB && !cid.equals(hurt.root),
  )!.cid
  flipBit(first, node)
  if (found) assert.throws(() => first.blocks.get(node))
  return { store: withoutIndex(t, first), hurt, dead, node }
}

for (const found of [false, true]) {
  test(`a damaged node ${found ? 'in the quarantine' : 'in its place'} stops a collection, which names it and its root`, async (t) => {
    const { store, hurt, dead, node } = await damaged(t, { found })
    for (const dryRun of [true, false, false]) {
      await assert.rejects(runCollection(store, {}, { dryRun }), (error: Error) => {
        return (
          hasCode(error, 'CORRUPT_BLOCK') &&
          [node, hurt.root].every((cid) => error.message.includes(`${cid}`))
        )
      })
    }
    assert.deepEqual([present(store, hurt), present(store, dead)], [hurt.blocks - 1, dead.blocks])
  })
}

test('adding a damaged node again lets the collection go on', async (t) => {
  const { store, hurt, dead } = await damaged(t, { found: true })
  await assert.rejects(runCollection(store))
  await addTree(store, 'hurt')
  await runCollection(store)
  assert.deepEqual([present(store, hurt), present(store, dead)], [hurt.blocks, 0])
})

test('despite damage a collection deletes what is dead, and says what was damaged', async (t) => {
  const { store, hurt, dead, node } = await damaged(t, { found: false })
  const { damaged: nodes, incomplete } = await runCollection(store, {}, { despiteDamage: true })
  assert.deepEqual([nodes.map(String), incomplete], [[String(node)], []])
  assert.equal(present(store, dead), 0)
  assert.ok(store.blocks.has(hurt.root))
})

test('links that the index knows are as good as the node: nothing below it is lost', async (t) => {
  const store = await temporaryStore(t)
  const hurt = await pinTree(store, 'hurt')
  store.children(hurt.root)
  store.flush()
  flipBit(store, hurt.root)
  await runCollection(store)
  assert.ok([...hurt.dag.blocks.values()].every(({ cid }) => store.blocks.has(cid)))
})

test('damage that is reached anyway is refused before old generations go', async (t) => {
  const { store, hurt, dead } = await damaged(t, { found: true })
  for (const number of [1, 2]) generation(store, number, dead.root)
  const old = generation(store, 3, hurt.root)
  symlinkSync('generations/2', join(dirname(dirname(old)), 'current'))
  await assert.rejects(runCollection(store, { keep: 1 }), (error) => hasCode(error, 'CORRUPT_BLOCK'))
  assert.deepEqual(readdirSync(dirname(old)).sort(), ['1', '2', '3'])
})

test('damage that only an old generation reaches goes with it', async (t) => {
  const first = await temporaryStore(t)
  const hurt = await addTree(first, 'hurt')
  const kept = await addTree(first, 'kept')
  const old = generation(first, 1, hurt.root)
  generation(first, 2, kept.root)
  symlinkSync('generations/2', join(dirname(dirname(old)), 'current'))
  flipBit(first, hurt.root)
  const store = withoutIndex(t, first)
  await runCollection(store, { keep: 1 })
  assert.deepEqual([present(store, hurt), present(store, kept)], [0, kept.blocks])
})
