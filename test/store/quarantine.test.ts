// What becomes of a damaged block: told apart from one that never was here, and healed.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { withAdd } from '../../src/store/add/add.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import type { CID } from '../../src/store/cid.ts'
import type { Store } from '../../src/store/store.ts'
import { verifyStore } from '../../src/store/verify/verify.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'

const bytes = Buffer.from('precious')
const cid = rawCid(bytes)

const put = (store: Store) => withAdd(store, (add) => add.put([{ cid, bytes }]))

function overwrite(store: Store, block: CID): void {
  rmSync(store.blocks.file(block), { force: true })
  writeFileSync(store.blocks.file(block), 'rubbish!')
}

/** A store whose only block was found damaged. */
async function damaged(t: TestContext): Promise<Store> {
  const store = await temporaryStore(t)
  await put(store)
  overwrite(store, cid)
  assert.throws(() => store.blocks.get(cid), { code: 'CORRUPT_BLOCK' })
  return store
}

test('a damaged block is told from one that never was here', async (t) => {
  const store = await damaged(t)
  assert.throws(() => store.blocks.get(cid), {
    code: 'MISSING_BLOCK',
    message: /was found damaged and is in .*quarantine/,
    hint: /Add or import/,
  })
  assert.throws(() => store.blocks.get(rawCid(Buffer.from('never'))), { message: /is not in the store/ })
})

test('verify tells what is in the quarantine, and which roots need it', async (t) => {
  const store = await damaged(t)
  const { quarantined } = await verifyStore(store, { roots: [cid] })
  assert.deepEqual(JSON.parse(JSON.stringify(quarantined)), [
    { cid: { '/': `${cid}` }, file: `${store.paths.quarantine}/${cid}`, neededBy: [{ '/': `${cid}` }] },
  ])
  const unneeded = await verifyStore(store)
  assert.deepEqual([unneeded.quarantined[0]?.neededBy, unneeded.corrupt], [[], []])
})

test('what verify moves away itself is in the quarantine too', async (t) => {
  const store = await temporaryStore(t)
  await put(store)
  overwrite(store, cid)
  assert.equal((await verifyStore(store, { repair: false })).quarantined.length, 0)
  const { corrupt, quarantined } = await verifyStore(store, { roots: [cid] })
  assert.deepEqual([corrupt.length, quarantined.length], [1, 1])
})

test('writing a block again takes it out of the quarantine', async (t) => {
  const store = await damaged(t)
  await put(store)
  assert.deepEqual(readdirSync(store.paths.quarantine), [])
  assert.deepEqual((await verifyStore(store, { roots: [cid] })).quarantined, [])
})

test('verify removes what has come back, but nothing without repair, and no directory', async (t) => {
  const store = await damaged(t)
  await put(store)
  writeFileSync(`${store.paths.quarantine}/${cid}`, 'rubbish!')
  mkdirSync(`${store.paths.quarantine}/${cid}-0123`)
  await verifyStore(store, { repair: false })
  assert.equal(readdirSync(store.paths.quarantine).length, 2)
  assert.deepEqual((await verifyStore(store)).quarantined, [])
  assert.deepEqual(readdirSync(store.paths.quarantine), [`${cid}-0123`])
})

test('verify without repair moves no node away either, of which the index knows nothing', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const root = dag.directory({ leaf: dag.raw('leaf') })
  await putDag(store, dag)
  store.index.clear()
  overwrite(store, root)
  const { incompleteRoots, quarantined } = await verifyStore(store, { repair: false, roots: [root] })
  assert.deepEqual(
    [incompleteRoots.map(({ missing }) => missing.map(String)), quarantined],
    [[[`${root}`]], []],
  )
  assert.equal(readFileSync(store.blocks.file(root), 'utf8'), 'rubbish!')
})
