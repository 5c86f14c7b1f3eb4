// What stands where a CID belongs, in blocks and CARs that others made.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Digest from 'multiformats/hashes/digest'
import { hasCode } from '../../src/errors.ts'
import { CID, DAG_CBOR, DAG_PB, IDENTITY, RAW, SHA2_256, tryParseCid } from '../../src/store/cid.ts'
import { missingBlocks } from '../../src/store/links/closure.ts'
import { linksOf } from '../../src/store/links/links.ts'
import { decodeNode } from '../../src/store/unixfs/node.ts'
import { concat, Dag, field, pbNode, unixfs } from '../fixtures/dag.ts'
import { car, importBytes, temporaryStore } from '../helpers/store.ts'

/** The map {"/": "a", "bytes": "a"} as dag-cbor: `CID.asCID` takes such an object for a CID. */
const FALSE_CID = Buffer.from('a2612f61616562797465736161', 'hex')
/** A header that lists it as a root. */
const FALSE_ROOT = concat([
  Uint8Array.of(30),
  Buffer.from('a265726f6f747381', 'hex'),
  FALSE_CID,
  Buffer.from('6776657273696f6e01', 'hex'),
])

const longCid = (bytes: number, hash = SHA2_256, codec = RAW) =>
  CID.createV1(codec, Digest.create(hash, new Uint8Array(bytes)))

test('a map that looks like a CID is a map', async (t) => {
  const dag = new Dag()
  const cid = dag.put(FALSE_CID, DAG_CBOR)
  assert.deepEqual(linksOf(cid, dag.get(cid)), [])
  const store = await temporaryStore(t)
  const imported = await importBytes(store, car([cid], dag.blocks.values()))
  assert.equal(imported.complete.length, 1)
  await assert.rejects(importBytes(store, FALSE_ROOT), (error) => hasCode(error, 'BAD_CAR'))
})

test('a CID with a digest longer than any is refused, in few words', async (t) => {
  const store = await temporaryStore(t)
  for (const length of [129, 1000, 2 ** 20]) {
    for (const hash of [SHA2_256, IDENTITY]) {
      const dag = new Dag()
      const node = dag.put(pbNode(unixfs({ type: 1 }), [{ cid: longCid(length, hash), name: 'a' }]), DAG_PB)
      assert.throws(() => linksOf(node, dag.get(node)), refused)
      assert.throws(
        () => [decodeNode(node, dag.get(node))].map((one) => one.type === 'directory' && one.entries.length),
        refused,
      )
      const odd = longCid(length, hash)
      for (const bytes of [car([odd], []), car([], [{ cid: odd, bytes: new Uint8Array(1) }])]) {
        await assert.rejects(importBytes(store, bytes), refused)
      }
      // It may lie here, as any block of another format may; nothing below it is reached.
      const imported = await importBytes(store, car([node], dag.blocks.values()))
      assert.equal(imported.complete.length, 1)
      assert.deepEqual(missingBlocks(store, imported.roots), [])
    }
  }
  assert.equal(tryParseCid(longCid(129).toString()), undefined)
  assert.ok(tryParseCid(longCid(128, IDENTITY).toString()))
})

test('a CID of version 0 has a digest of sha2-256', () => {
  // Version 0, codec raw, an identity digest of "x": it would be shown as a word that is no CID.
  const bytes = Uint8Array.of(0, 0x55, 0, 1, 0x78)
  const dag = new Dag()
  const link = concat([field(1, bytes), field(2, 'a')])
  const node = dag.put(concat([field(2, link), field(1, unixfs({ type: 1 }))]), DAG_PB)
  assert.throws(() => linksOf(node, dag.get(node)), refused)
  const cbor = dag.put(concat([Uint8Array.of(0xd8, 0x2a, 0x46, 0), bytes]), DAG_CBOR)
  assert.throws(() => linksOf(cbor, dag.get(cbor)), refused)
  assert.equal(tryParseCid(`f${Buffer.from(bytes).toString('hex')}`), undefined)
})

function refused(error: unknown): boolean {
  assert.ok(hasCode(error, 'BAD_NODE', 'BAD_CAR'), String(error).slice(0, 500))
  assert.ok(error.message.length < 1000)
  return true
}
