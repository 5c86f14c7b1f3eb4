// The links of blocks of every codec, and dag-pb held against the reference decoder.

import assert from 'node:assert/strict'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import * as dagPb from '@ipld/dag-pb'
import { rawCid } from '../../../src/store/blocks/hash.ts'
import { blockKey, blockName, CID, DAG_CBOR, DAG_JSON, DAG_PB, parseCid } from '../../../src/store/cid.ts'
import { type DagPbNode, decodeDagPb } from '../../../src/store/links/dag-pb.ts'
import { linksOf } from '../../../src/store/links/links.ts'
import { Dag, identityCid, pbNode } from '../../fixtures/dag.ts'
import { bytesOf, refusing, type Target } from '../target.ts'

const dag = new Dag()
const leaf = dag.raw('leaf')
const CODECS = [DAG_PB, DAG_CBOR, DAG_JSON]
const of = (codec: number, bytes: Uint8Array) => Buffer.concat([Uint8Array.of(CODECS.indexOf(codec)), bytes])
/** {"/": "a", "bytes": "a"}: the library takes such a map for a CID. */
const falseCid = Buffer.from('a2612f61616562797465736161', 'hex')

/** The first byte chooses the codec. */
export const target: Target = {
  name: 'links',
  seeds: [
    of(
      DAG_PB,
      pbNode(bytesOf('data'), [{ cid: leaf, name: 'a', tsize: 4 }, { cid: identityCid(bytesOf('x')) }]),
    ),
    of(DAG_PB, dagPb.encode({ Data: bytesOf('x'), Links: [{ Hash: leaf, Name: 'n', Tsize: 2 ** 40 }] })),
    of(DAG_CBOR, dagCbor.encode({ a: [leaf, { b: leaf }], n: 1.5, t: null })),
    of(DAG_CBOR, Buffer.concat([Uint8Array.of(0x81), falseCid])),
    of(DAG_JSON, dagJson.encode({ a: [leaf, { b: bytesOf('bytes') }] })),
    of(DAG_JSON, bytesOf('{"x":{"/":"a","bytes":"a"}}')),
  ],
  dictionary: [
    falseCid,
    leaf.bytes,
    bytesOf(`{"/":"${leaf}"}`),
    bytesOf('{"/":{"bytes":"AA"}}'),
    bytesOf('"__proto__"'),
    bytesOf('"asCID"'),
    bytesOf('[[[[[[[['),
    Uint8Array.of(0xd8, 0x2a, 0x58, 0x25, 0x00),
    dagCbor.encode('__proto__'),
    dagCbor.encode('bytes'),
    Uint8Array.of(0x12, 0x2c, 0x0a, 0x24),
  ],
  run(input) {
    const codec = CODECS[(input[0] ?? 0) % CODECS.length] as number
    const bytes = input.subarray(1)
    const cid = CID.createV1(codec, rawCid(bytes).multihash)
    const links = refusing(() => linksOf(cid, bytes))
    if (codec === DAG_PB) holdAgainstNodes(bytes, links)
    if (!Array.isArray(links)) return links.code
    for (const link of links) {
      // All that the store asks of a CID.
      assert.ok(blockKey(link).length > 0)
      assert.equal(blockKey(parseCid(String(link))), blockKey(link))
      assert.ok(blockName(link).length <= 255, 'a file can have this name')
    }
    if (codec === DAG_PB) compare(bytes, decodeDagPb(bytes))
    return `${codec} ${Math.min(links.length, 5)}`
  },
}

/** Links that are only copied are those of the node that is decoded as a whole, and refused where that is. */
function holdAgainstNodes(bytes: Uint8Array, links: CID[] | { code: string }): void {
  const node = refusing(() => decodeDagPb(bytes))
  if ('code' in node || 'code' in links) {
    assert.deepEqual(links, node)
    return
  }
  assert.deepEqual(
    links.map((cid) => Buffer.from(cid.bytes)),
    node.links.map(({ hash }) => Buffer.from(hash.bytes)),
  )
}

/** Where the reference reads a node, it reads what we read. It is stricter: an order of fields, sorted links. */
function compare(bytes: Uint8Array, ours: DagPbNode): void {
  let theirs: dagPb.PBNode
  try {
    theirs = dagPb.decode(bytes)
  } catch {
    return
  }
  assert.deepEqual(
    theirs.Data === undefined ? undefined : Buffer.from(theirs.Data),
    ours.data && Buffer.from(ours.data),
  )
  assert.deepEqual(
    theirs.Links.map(({ Hash }) => String(Hash)),
    ours.links.map(({ hash }) => String(hash)),
  )
  for (const [index, { Name, Tsize }] of theirs.Links.entries()) {
    const link = ours.links[index]!
    // It strips a leading U+FEFF, and replaces what is not UTF-8.
    if (link.name !== undefined) assert.equal(Name ?? '', link.name.replace(/^\uFEFF/, ''))
    assert.equal((Tsize ?? 0) > Number.MAX_SAFE_INTEGER ? undefined : Tsize, link.tsize)
  }
}
