// What a damaged block does to the roots that reach it: nobody counts on it, and nothing else is lost.

import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { addPin } from '../../src/pins/pins.ts'
import type { CID } from '../../src/store/cid.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryStore } from '../helpers/store.ts'
import { pinTree } from './scenario.ts'

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
