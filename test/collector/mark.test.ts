import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockSet } from '../../src/collector/block-set.ts'
import { Marker } from '../../src/collector/mark.ts'
import { CID, DAG_PB, RAW } from '../../src/store/cid.ts'
import { linksOf } from '../../src/store/links/links.ts'
import { Dag, identityCid } from '../fixtures/dag.ts'

/** Marks what these roots reach in a DAG in memory. */
async function mark(dag: Dag, ...roots: CID[]): Promise<Marker> {
  const marker = new Marker({ children: (cid) => linksOf(cid, dag.get(cid)) })
  for (const root of roots) marker.add(root)
  await marker.run()
  return marker
}

const isAlive = (marker: Marker, cid: CID) => marker.alive.has(cid.multihash.bytes)

test('a node that is linked as raw first is still expanded where it is linked as dag-pb', async () => {
  const dag = new Dag()
  const leaf = dag.raw('leaf')
  const node = dag.directory({ leaf })
  const asRaw = CID.createV1(RAW, node.multihash)
  const marker = await mark(dag, asRaw, dag.directory({ raw: asRaw }), dag.directory({ node }))
  assert.ok(isAlive(marker, leaf))
})

test('a node inside an identity CID is expanded', async () => {
  const dag = new Dag()
  const leaf = dag.raw('leaf')
  const carried = identityCid(dag.get(dag.directory({ leaf })), DAG_PB)
  const marker = await mark(dag, dag.directory({ carried }))
  assert.ok(isAlive(marker, leaf))
})

test('a DAG of depth 20,000 is marked without a stack of its depth', async () => {
  const dag = new Dag()
  const leaf = dag.raw('leaf')
  let top = leaf
  for (let depth = 0; depth < 20_000; depth++) top = dag.directory({ down: top })
  assert.ok(isAlive(await mark(dag, top), leaf))
})

test('a DAG with 2^60 paths is read once a node', async () => {
  const dag = new Dag()
  let top = dag.raw('leaf')
  for (let level = 0; level < 60; level++) top = dag.directory({ a: top, b: top })
  dag.reads = 0
  assert.equal((await mark(dag, top)).alive.size, 61)
  assert.equal(dag.reads, 60)
})

test('a node that is no node of its codec is kept, and reaches nothing', async () => {
  const dag = new Dag()
  const bad = dag.put(Buffer.from('not dag-pb'), 0x70)
  const marker = await mark(dag, bad)
  assert.deepEqual([isAlive(marker, bad), marker.incomplete], [true, []])
})

test('a node of a codec that is not known is kept, and reaches nothing', async () => {
  const dag = new Dag()
  const odd = dag.put(Buffer.from('whatever'), 0x78)
  assert.ok(isAlive(await mark(dag, odd), odd))
})

test('a missing node is named, and the rest is marked', async () => {
  const dag = new Dag()
  const missing = new Dag().directory({})
  const leaf = dag.raw('leaf')
  const marker = await mark(dag, dag.directory({ leaf, missing }))
  assert.ok(isAlive(marker, leaf))
  assert.deepEqual(marker.incomplete.map(String), [String(missing)])
})

/** Multihashes as the store has them: mostly sha2-256, some of other lengths and functions, many twice. */
const multihash = fc.oneof(
  fc.integer({ min: 0, max: 3000 }).map((seed) => sha256(String(seed))),
  fc.constant(Buffer.concat([Buffer.from([0x12, 32]), Buffer.alloc(32)])),
  fc.uint8Array({ minLength: 0, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc
    .integer({ min: 0, max: 20 })
    .map((seed) => Buffer.concat([Buffer.from([0x16, 32]), sha256(`${seed}`).subarray(2)])),
)

function sha256(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x12, 32]), createHash('sha256').update(text).digest()])
}

test('a set of blocks answers as a Set of strings does', () => {
  fc.assert(
    fc.property(fc.array(multihash, { maxLength: 3000, size: 'max' }), (all) => {
      const ours = new BlockSet()
      const plain = new Set<string>()
      for (const [index, bytes] of all.entries()) {
        const text = bytes.toString('latin1')
        if (index % 3 === 0) assert.equal(ours.has(bytes), plain.has(text))
        else assert.equal(ours.add(bytes), !plain.has(text) && plain.add(text) !== undefined)
      }
      assert.equal(ours.size, plain.size)
      for (const bytes of all) assert.equal(ours.has(bytes), plain.has(bytes.toString('latin1')))
    }),
    { numRuns: 20, seed: 7 },
  )
})

test('two digests that differ only at their end are two blocks', () => {
  const set = new BlockSet()
  const [one, two] = [sha256('x'), sha256('x')]
  two[33]! ^= 1
  set.add(one)
  assert.deepEqual([set.has(one), set.has(two)], [true, false])
})
