// What doctor says of blocks that were found damaged.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { damageCheck } from '../../src/daemon/doctor/damage.ts'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'

test('a lost block is a finding that names who needs it, until it is back', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const leaf = dag.raw('precious')
  const root = dag.directory({ leaf })
  await putDag(store, dag)
  assert.equal((await damageCheck(store.paths)).ok, true)

  rmSync(store.blocks.file(leaf))
  writeFileSync(store.blocks.file(leaf), 'rubbish!')
  assert.throws(() => store.blocks.get(leaf), { code: 'CORRUPT_BLOCK' })
  assert.equal((await damageCheck(store.paths)).ok, 'note')
  await withAdd(store, (add) => add.put([{ cid: leaf, bytes: Buffer.from('precious') }]))
  await addPin(store, { prog: 'backup', cid: root })
  rmSync(store.blocks.file(leaf))
  writeFileSync(store.blocks.file(leaf), 'rubbish!')
  assert.throws(() => store.blocks.get(leaf), { code: 'CORRUPT_BLOCK' })
  const { ok, detail } = await damageCheck(store.paths)
  assert.equal(ok, false)
  assert.match(detail, /^1 found damaged, in .*quarantine: needed by pin backup$/)

  await withAdd(store, (add) => add.put([{ cid: leaf, bytes: Buffer.from('precious') }]))
  assert.equal((await damageCheck(store.paths)).ok, true)
})

test('where nothing can be looked at doctor says so', async (t) => {
  const store = await temporaryStore(t)
  const check = await damageCheck({ ...store.paths, quarantine: '/dev/null' })
  assert.equal(check.ok, 'note')
})
