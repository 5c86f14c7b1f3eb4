import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { blake2b } from '@noble/hashes/blake2.js'
import * as Digest from 'multiformats/hashes/digest'
import { type ErrorCode, hasCode, type PkgError } from '../../src/errors.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { importCar } from '../../src/store/car/read.ts'
import { exportCar } from '../../src/store/car/write.ts'
import { CID, DAG_CBOR, RAW } from '../../src/store/cid.ts'
import { hasAll } from '../../src/store/links/closure.ts'
import type { Store } from '../../src/store/store.ts'
import { chunks, readFile } from '../../src/store/unixfs/read.ts'
import { concat, Dag, field, identityCid, varint } from '../fixtures/dag.ts'
import { car, car2, collect, importBytes, inPieces, temporaryStore } from '../helpers/store.ts'

/** A directory of a file of three leaves and a symlink. */
function sample(salt = ''): { dag: Dag; root: CID } {
  const dag = new Dag()
  const parts = ['one ', 'two ', `three${salt}`].map((text) => ({ cid: dag.raw(text), size: text.length }))
  const root = dag.directory({ file: dag.file(parts), link: dag.symlink('file') })
  return { dag, root }
}

const all = (dag: Dag) => [...dag.blocks.values()]
const countBlocks = (store: Store) => [...store.blocks.list()].length

/** Asserts that the import fails with this code and that no block, file or temp pin is left. */
async function refuses(store: Store, bytes: Uint8Array, code: ErrorCode): Promise<PkgError> {
  let thrown: unknown
  await importBytes(store, bytes).catch((error) => {
    thrown = error
  })
  assert.ok(hasCode(thrown, code), `${code} expected: ${thrown}`)
  assert.equal(countBlocks(store), 0)
  assert.deepEqual(readdirSync(store.paths.blocksTemp), [])
  assert.deepEqual(readdirSync(store.paths.tempPins), [])
  return thrown
}

test('a CAR of either version imports whole, in pieces of any size', async (t) => {
  const store = await temporaryStore(t)
  for (const [index, pieces] of [1, 7, 64, 1_000_000].entries()) {
    for (const wrap of [
      (inner: Uint8Array) => inner,
      (inner: Uint8Array) => car2(inner, { padding: index, index: 'an index' }),
    ]) {
      const { dag, root } = sample(`${pieces}`)
      const bytes = wrap(car([root], all(dag)))
      const imported = await withAdd(store, (add) => importCar(add, inPieces(bytes, pieces)))
      assert.deepEqual(imported.roots.map(String), [root.toString()])
      assert.deepEqual(imported.complete.map(String), [root.toString()])
      assert.equal(imported.blocks, 6)
      for (const { cid, bytes } of all(dag))
        assert.deepEqual(Buffer.from(store.blocks.get(cid)), Buffer.from(bytes))
    }
  }
})

test('what is cut short anywhere is refused, and nothing of it is kept', async (t) => {
  const store = await temporaryStore(t)
  const { dag, root } = sample()
  const one = car([root], all(dag))
  const two = car2(one, { index: 'an index' })
  const ends = new Set<number>()
  for (let end = 0, section = 0; section < all(dag).length; section++) {
    end = car([root], all(dag).slice(0, section)).length
    ends.add(end)
  }
  for (let length = 0; length < one.length; length += 3) {
    // Between two sections a CAR of version 1 may end.
    if (!ends.has(length)) await refuses(store, one.subarray(0, length), 'BAD_CAR')
  }
  for (let length = 0; length <= 51 + one.length; length += 7)
    await refuses(store, two.subarray(0, length), 'BAD_CAR')
})

test('a CAR that lies is refused, and nothing of it is kept', async (t) => {
  const store = await temporaryStore(t)
  const { dag, root } = sample()
  const inner = car([root], all(dag))
  const [first, ...others] = all(dag) as [{ cid: CID; bytes: Uint8Array }]
  const flipped = Buffer.from(first.bytes)
  flipped[0] = (flipped[0] as number) ^ 1
  const large = {
    cid: new Dag().raw(new Uint8Array(2 * 1024 * 1024 + 1)),
    bytes: new Uint8Array(2 * 1024 * 1024 + 1),
  }
  const md5 = CID.createV1(RAW, Digest.create(0xd5, createHash('md5').update('x').digest()))
  const cases: [string, Uint8Array, ErrorCode][] = [
    ['a bit of a block', car([root], [...others, { cid: first.cid, bytes: flipped }]), 'BAD_CAR'],
    [
      'an identity CID over other bytes',
      car([root], [{ cid: identityCid(Buffer.from('a')), bytes: Buffer.from('b') }]),
      'BAD_CAR',
    ],
    ['a block over 2 MiB', car([root], [large]), 'BAD_CAR'],
    [
      'a hash that proves nothing',
      car([root], [...others, { cid: md5, bytes: Buffer.from('x') }]),
      'UNSUPPORTED',
    ],
    ['an empty section', concat([inner, Uint8Array.of(0)]), 'BAD_CAR'],
    ['a section of exabytes', concat([inner, varint(2 ** 60)]), 'BAD_CAR'],
    ['a length without end', concat([inner, Buffer.alloc(20, 0xff)]), 'BAD_CAR'],
    ['a section that is no CID', concat([inner, varint(10), 'not a cid!']), 'BAD_CAR'],
    ['a header of exabytes', concat([varint(2 ** 60), inner]), 'BAD_CAR'],
    ['a header that is none', Buffer.from('\x05hello'), 'BAD_CAR'],
    ['no bytes at all', new Uint8Array(0), 'BAD_CAR'],
    ['version 3', concat([varint(10), Buffer.from('a16776657273696f6e03', 'hex')]), 'BAD_CAR'],
    ['version 2 in version 2', car2(car2(inner)), 'BAD_CAR'],
    ['data beyond the file', car2(inner, { size: inner.length + 1 }), 'BAD_CAR'],
    ['data of 2^60 bytes', car2(inner, { size: 2 ** 60 }), 'BAD_CAR'],
    ['data that ends inside a section', car2(inner, { size: inner.length - 1 }), 'BAD_CAR'],
    ['no data', car2(inner, { size: 0 }), 'BAD_CAR'],
    ['data inside the header', car2(inner, { offset: 11 }), 'BAD_CAR'],
    ['an index inside the data', car2(inner, { indexOffset: 60 }), 'BAD_CAR'],
    ['an index beyond the file', car2(inner, { indexOffset: 10_000 }), 'BAD_CAR'],
  ]
  for (const [title, bytes, code] of cases) {
    const { message } = await refuses(store, bytes, code)
    t.diagnostic(`${title}: ${message}`)
  }
})

test('a CAR that fails after more than memory holds leaves nothing either', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  for (let index = 0; index < 20; index++) dag.raw(new Uint8Array(1024 * 1024).fill(index))
  const bytes = car([], all(dag))
  await refuses(store, bytes.subarray(0, bytes.length - 1), 'BAD_CAR')
  const { blocks, newBlocks } = await importBytes(store, bytes)
  assert.deepEqual([blocks, newBlocks, countBlocks(store)], [20, 20, 20])
  for (const { cid, bytes } of all(dag))
    assert.deepEqual(Buffer.from(store.blocks.get(cid)), Buffer.from(bytes))
})

test('an aborted import leaves nothing, and closes its source', async (t) => {
  const store = await temporaryStore(t)
  const { dag, root } = sample()
  const controller = new AbortController()
  let closed = false
  async function* source() {
    try {
      yield* inPieces(car([root], all(dag)), 10)
    } finally {
      closed = true
    }
  }
  const importing = withAdd(store, (add) =>
    importCar(add, source(), { signal: controller.signal, onProgress: () => controller.abort() }),
  )
  await assert.rejects(importing, { name: 'AbortError' })
  assert.equal(closed, true)
  assert.equal(countBlocks(store), 0)
})

test('parts of a DAG import, and the rest makes it whole', async (t) => {
  const store = await temporaryStore(t)
  const { dag, root } = sample()
  const blocks = all(dag)
  const part = await importBytes(store, car([root], blocks.slice(1)))
  assert.deepEqual(part.complete, [])
  assert.equal(hasAll(store, root), false)
  const rest = await importBytes(store, car([root], blocks.slice(0, 1)))
  assert.deepEqual(rest.complete.map(String), [root.toString()])
  assert.equal(store.index.isComplete(root), true)
})

test('other hashes, other codecs, broken nodes and identity CIDs import', async (t: TestContext) => {
  const store = await temporaryStore(t)
  const bytes = Buffer.from('hashed otherwise')
  const sha512 = CID.createV1(RAW, Digest.create(0x13, createHash('sha512').update(bytes).digest()))
  const blake = CID.createV1(RAW, Digest.create(0xb220, blake2b(bytes, { dkLen: 32 })))
  const dag = new Dag()
  const cbor = dag.put(Buffer.from('a1616101', 'hex'), DAG_CBOR)
  const broken = dag.put(field(9, 'no such field'), 0x70)
  const unknown = dag.put(Buffer.from('of a codec that nobody knows'), 0x300042)
  const inline = identityCid(Buffer.from('inline'))
  const root = dag.directory({ sha512, blake, cbor, broken, unknown, inline })
  const others = [sha512, blake].map((cid) => ({ cid, bytes }))
  const { complete } = await importBytes(
    store,
    car([root], [...all(dag), ...others, { cid: inline, bytes: Buffer.from('inline') }]),
  )
  assert.deepEqual(complete.map(String), [root.toString()])
  assert.deepEqual(Buffer.from(readFile(store.blocks, sha512)), bytes)
  assert.deepEqual(Buffer.from(readFile(store.blocks, blake)), bytes)
  assert.equal(countBlocks(store), 6)
})

test('what is exported comes depth first, each block once, and imports elsewhere', async (t) => {
  const store = await temporaryStore(t)
  const { dag, root: inner } = sample()
  const root = dag.directory({ again: inner, one: inner })
  await importBytes(store, car([root], all(dag)))
  const bytes = await collect(exportCar(store, root))
  assert.equal(bytes.length, car([root], all(dag)).length)
  const other = await temporaryStore(t)
  const imported = await importBytes(other, bytes)
  assert.deepEqual(imported.complete.map(String), [root.toString()])
  assert.equal(
    Buffer.concat([...chunks(other.blocks, [...dag.blocks.values()][3]?.cid as CID)]).toString(),
    'one two three',
  )
  assert.deepEqual(await collect(exportCar(other, root)), bytes)
})

test('a DAG that is not whole is not exported', async (t) => {
  const store = await temporaryStore(t)
  const { dag, root } = sample()
  await importBytes(store, car([root], all(dag).slice(1)))
  await assert.rejects(collect(exportCar(store, root)), (error) => {
    assert.ok(hasCode(error, 'INCOMPLETE'))
    assert.ok(error.message.includes(root.toString()) && error.message.includes(String(all(dag)[0]?.cid)))
    return true
  })
})
