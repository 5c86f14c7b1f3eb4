// What one user may have counts over all requests, real trees as well as blocks, and is free again when anybody
// has collected it.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import type { CID } from '../../src/store/cid.ts'
import { Dag } from '../fixtures/dag.ts'
import { car, putDag } from '../helpers/store.ts'
import { hello, machine, type Reply, WITHOUT_USERS } from './machine.ts'

const MIB = 1024 * 1024

const settings = { 'uploads.quotaBytes': 40 * MIB, 'uploads.quotaPercent': 100, 'store.mode': 'checkout' }

test('what one user may have', { skip: WITHOUT_USERS }, async (t) => {
  const there = await machine(t, settings)
  const { paths, alice, eve, socketOf, store } = there
  await hello(there, alice)
  await hello(there, eve)
  const codeOf = ({ lines }: Reply) => lines.at(-1)?.code ?? lines.at(-1)?.type

  await t.test('many requests for small trees that unfold are bounded like one', async () => {
    const dag = new Dag()
    const leaf = { cid: dag.raw(new Uint8Array(64 * 1024).fill(7)), size: 64 * 1024 }
    // Each another file of 8 MiB and more, all of one leaf.
    const files = Array.from({ length: 6 }, (_, more) => dag.file(Array(128 + more).fill(leaf)))
    await putDag(store, dag)
    const [last, ...others] = files as [CID, ...CID[]]
    const asks = async (cid: CID) =>
      codeOf(await alice.ask({ socket: socketOf(alice), method: 'POST', path: `/v1/checkout?cid=${cid}` }))
    const pins = join(paths.pinsPerUser, alice.name, 'trees')
    await alice.fs('mkdirSync', pins)
    const pinOf = (cid: CID) => join(pins, cid.toString())
    for (const cid of files) await alice.fs('symlinkSync', `../../../../store/${cid}`, pinOf(cid))
    for (const cid of others.slice(0, 4)) assert.equal(await asks(cid), 'done')
    assert.equal(await asks(last), 'NO_SPACE')
    // They are there, and stay: a collection changes nothing.
    await runCollection(store)
    assert.equal(await asks(last), 'NO_SPACE')
    for (const cid of others) await alice.fs('unlinkSync', pinOf(cid))
    assert.equal(await asks(last), 'NO_SPACE')
    await runCollection(store)
    assert.equal(await asks(last), 'done')
  })

  await t.test('what root collected frees the quota', async () => {
    let round = 0
    const uploads = async () => {
      const dag = new Dag()
      for (let part = 0; part < 30; part++) dag.raw(`${round} ${part}`.padEnd(MIB))
      round += 1
      const body = car([], dag.blocks.values())
      return codeOf(await eve.ask({ socket: socketOf(eve), method: 'POST', path: '/v1/import', body }))
    }
    assert.equal(await uploads(), 'done')
    assert.equal(await uploads(), 'NO_SPACE')
    // One that leaves some of it frees nothing.
    await runCollection(store, {}, { maxFreedBytes: MIB })
    assert.equal(await uploads(), 'NO_SPACE')
    await runCollection(store)
    assert.equal(await uploads(), 'done')
  })
})
