// Links of dag-pb nodes are copied without being made into CIDs: the same ones, and the
// same nodes are refused, as when each is decoded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '../../src/errors.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import { CID, DAG_PB, sameBlock } from '../../src/store/cid.ts'
import { closure } from '../../src/store/links/closure.ts'
import { decodeDagPb } from '../../src/store/links/dag-pb.ts'
import { linksOf, packedLinksOf } from '../../src/store/links/links.ts'
import { packLinks, unpackLinks } from '../../src/store/links/packed-links.ts'
import { concat, Dag, field, identityCid, varint } from '../fixtures/dag.ts'
import { seededRandom } from '../helpers/disk-tree.ts'

const SEED = 20261121
const ROUNDS = 4000

type Random = ReturnType<typeof seededRandom>

/** A number as varint, at times longer than it need be. */
function loose(random: Random, value: number): Uint8Array {
  const bytes = Buffer.from(varint(value))
  if (random() < 0.9) return bytes
  bytes[bytes.length - 1]! |= 0x80
  return Buffer.concat([bytes, Uint8Array.of(0)])
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T
}

/** Mostly a CID; of any codec, hash function and length, of version 0 at times. */
function oddCid(random: Random): Uint8Array {
  const length = pick(random, [0, 1, 20, 31, 32, 32, 32, 33, 64, 127, 128, 129])
  const digest = Buffer.alloc(random() < 0.95 ? length : Math.max(0, length - 1), 7)
  const multihash = concat([
    loose(random, pick(random, [0, 0x12, 0x12, 0x13, 0x7f, 0x80, 0x1e, 0xb220])),
    loose(random, length),
    digest,
  ])
  const version = pick(random, [undefined, 0, 1, 1, 1, 1, 2, 0x12])
  if (version === undefined) return multihash
  const codec = pick(random, [0x55, 0x70, 0x71, 0x129, 0, 0x7f, 0x80])
  return concat([loose(random, version), loose(random, codec), multihash])
}

function oddLink(random: Random): Uint8Array {
  const fields = [
    field(1, oddCid(random)),
    field(2, pick(random, ['', 'name', Uint8Array.of(0xff)])),
    field(3, 7),
  ]
  if (random() < 0.05) fields.splice(Math.floor(random() * 3), 1)
  if (random() < 0.05) fields.push(pick(random, [...fields, field(4, 1)]))
  if (random() < 0.05) fields.reverse()
  return concat(fields)
}

const outcome = <T>(run: () => T): T | string => {
  try {
    return run()
  } catch (error) {
    return codeOf(error)
  }
}

test(`copied links are the decoded ones, and the same nodes are refused, seed ${SEED}`, () => {
  const random = seededRandom(SEED)
  const seen = { refused: 0, taken: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const links = Array.from({ length: Math.floor(random() * 4) }, () => field(2, oddLink(random)))
    const bytes = concat(random() < 0.5 ? links : [...links, field(1, 'data')])
    const cid = CID.createV1(DAG_PB, rawCid(bytes).multihash)
    const decoded = outcome(() => decodeDagPb(bytes).links.map(({ hash }) => hash))
    const packed = outcome(() => packedLinksOf(cid, bytes))
    const where = `round ${round}, ${Buffer.from(bytes).toString('hex')}`
    if (typeof decoded === 'string' || typeof packed === 'string') {
      assert.equal(packed, decoded, where)
      seen.refused += 1
      continue
    }
    seen.taken += 1
    assert.deepEqual(packed, packLinks(decoded), where)
    assert.deepEqual(unpackLinks(packed).map(String), decoded.map(String), where)
    for (const link of decoded) {
      const known = CID.decode(link.bytes)
      assert.ok(link.equals(known) && sameBlock(link, known), where)
      assert.deepEqual(
        [link.version, link.code, link.multihash.code],
        [known.version, known.code, known.multihash.code],
        where,
      )
      assert.equal(String(link.toV1()), String(known.toV1()), where)
      assert.deepEqual(Buffer.from(link.multihash.digest), Buffer.from(known.multihash.digest), where)
    }
  }
  assert.ok(seen.refused > ROUNDS / 10 && seen.taken > ROUNDS / 10, JSON.stringify(seen))
})

test('a walk reaches the same by packed links as by CIDs, whatever their kind', () => {
  const dag = new Dag()
  const inner = dag.directory({ a: dag.raw('a'), again: dag.raw('a') })
  const root = dag.directory([
    { name: 'v0', cid: inner.toV0() },
    { name: 'v1', cid: inner },
    { name: 'as raw', cid: CID.createV1(0x55, inner.multihash) },
    { name: 'unknown codec', cid: dag.put(Buffer.from('x'), 0x300001) },
    { name: 'carried', cid: identityCid(Buffer.from('carried')) },
    {
      name: 'carried node',
      cid: identityCid(dag.get(dag.directory({ b: identityCid(Buffer.from('')) })), DAG_PB),
    },
    { name: 'missing', cid: rawCid(Buffer.from('not here')) },
  ])
  const children = (cid: CID) => linksOf(cid, dag.get(cid))
  const packedChildren = (cid: CID) => packedLinksOf(cid, dag.get(cid))
  const reached = [...closure({ children }, [root, inner])].map(String)
  assert.deepEqual([...closure({ children, packedChildren }, [root, inner])].map(String), reached)
  assert.deepEqual(
    reached,
    [
      root,
      inner.toV0(),
      dag.raw('a'),
      dag.put(Buffer.from('x'), 0x300001),
      rawCid(Buffer.from('not here')),
    ].map(String),
  )
})
