import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withAdd } from '../../src/store/add/add.ts'
import { sha256 } from '../../src/store/blocks/hash.ts'
import { importCar } from '../../src/store/car/read.ts'
import { type CID, parseCid } from '../../src/store/cid.ts'
import type { Store } from '../../src/store/store.ts'
import { list, lookup } from '../../src/store/unixfs/directory.ts'
import { readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { stat } from '../../src/store/unixfs/stat.ts'
import * as conformance from '../fixtures/conformance.ts'
import { Dag } from '../fixtures/dag.ts'
import { temporaryStore } from '../helpers/store.ts'

/** The folder fixtures/ of a checkout of ipfs/gateway-conformance; the tests of its files are skipped without it. */
const FIXTURES = process.env.GATEWAY_CONFORMANCE_FIXTURES
const skip = FIXTURES === undefined && 'GATEWAY_CONFORMANCE_FIXTURES is not set'
const { MULTIBLOCK, MULTIBLOCK_SHA256, PERCENT_NAME, ROOTS } = conformance

const text = (getter: { get(cid: CID): Uint8Array }, root: CID, path: string) =>
  Buffer.from(readFile(getter, resolvePath(getter, root, path).cid)).toString()

test('the published directory with files has its CID and its entries', () => {
  const dag = new Dag()
  const root = conformance.directoryWithFiles(dag)
  assert.equal(root.toString(), ROOTS.files)
  const names = [...list(dag, root)].map(({ name }) => name)
  assert.deepEqual(names, ['ascii-copy.txt', 'ascii.txt', 'hello.txt', 'multiblock.txt'])
  assert.equal(text(dag, root, 'hello.txt'), 'hello world\n')
})

test('the published symlink has its CID and its target', () => {
  const dag = new Dag()
  const root = conformance.directoryWithSymlink(dag)
  assert.equal(root.toString(), ROOTS.symlink)
  assert.equal(stat(dag, resolvePath(dag, root, 'bar').cid).target, 'foo')
  assert.equal(text(dag, root, 'foo'), 'content\n')
})

test('the published percent-encoded name has its CID and is taken as it is', () => {
  const dag = new Dag()
  const root = conformance.directoryWithPercentName(dag)
  assert.equal(root.toString(), ROOTS.percent)
  assert.equal(text(dag, root, PERCENT_NAME), 'hello from a percent encoded filename\n')
})

test('the published sharded directory has its CID, and every name is found', () => {
  const dag = new Dag()
  const root = conformance.shardedDirectory(dag)
  assert.equal(root.toString(), ROOTS.hamt)
  assert.equal([...list(dag, root)].length, 1000)
  for (let number = 1; number <= 1000; number++) {
    assert.equal(String(lookup(dag, root, `${number}.txt`)), String(MULTIBLOCK.cid))
  }
})

async function importFixture(
  t: TestContext,
  name: string,
): Promise<{ store: Store; roots: string[]; whole: boolean }> {
  const store = await temporaryStore(t)
  return withAdd(store, async (add) => {
    const { roots, complete } = await importCar(add, createReadStream(join(FIXTURES as string, name)))
    await add.commit(complete)
    return { store, roots: roots.map(String), whole: roots.length === complete.length }
  })
}

function assertMultiblock(store: Store, cid: CID | undefined): void {
  assert.ok(cid)
  assert.equal(Buffer.from(sha256(readFile(store.blocks, cid))).toString('hex'), MULTIBLOCK_SHA256)
}

test('dir-with-files.car imports and reads back', { skip }, async (t) => {
  const { store, roots, whole } = await importFixture(t, 'path_gateway_unixfs/dir-with-files.car')
  assert.ok(roots.includes(ROOTS.files) && whole)
  const root = parseCid(ROOTS.files)
  assert.equal(text(store.blocks, root, 'ascii-copy.txt'), 'hello application/vnd.ipld.car\n')
  assertMultiblock(store, lookup(store.blocks, root, 'multiblock.txt'))
})

test('symlink.car imports and reads back', { skip }, async (t) => {
  const { store, roots, whole } = await importFixture(t, 'path_gateway_unixfs/symlink.car')
  assert.ok(whole)
  assert.deepEqual(roots, [ROOTS.symlink])
  assert.equal(
    Buffer.from(
      readFile(
        store.blocks,
        resolvePath(store.blocks, parseCid(ROOTS.symlink), 'bar', { followLinks: true }).cid,
      ),
    ).toString(),
    'content\n',
  )
})

test('dir-with-percent-encoded-filename.car imports and reads back', { skip }, async (t) => {
  const { store, roots } = await importFixture(t, 'path_gateway_unixfs/dir-with-percent-encoded-filename.car')
  assert.deepEqual(roots, [ROOTS.percent])
  assert.equal(
    text(store.blocks, parseCid(ROOTS.percent), PERCENT_NAME),
    'hello from a percent encoded filename\n',
  )
})

test('single-layer-hamt-with-multi-block-files.car imports and reads back', { skip }, async (t) => {
  const { store, whole } = await importFixture(
    t,
    'trustless_gateway_car/single-layer-hamt-with-multi-block-files.car',
  )
  assert.ok(whole)
  for (const { cid } of list(store.blocks, parseCid(ROOTS.hamt))) assertMultiblock(store, cid)
})

test('file-3k-and-3-blocks-missing-block.car imports, and is known to lack a block', { skip }, async (t) => {
  const { whole } = await importFixture(t, 'trustless_gateway_car/file-3k-and-3-blocks-missing-block.car')
  assert.equal(whole, false)
})

test('dir-with-dag-cbor-with-links.car imports whole: links of dag-cbor count', { skip }, async (t) => {
  const { store, whole, roots } = await importFixture(
    t,
    'trustless_gateway_car/dir-with-dag-cbor-with-links.car',
  )
  assert.ok(whole)
  assert.deepEqual(
    [...list(store.blocks, parseCid(roots[0] as string))].map(({ name }) => name),
    ['document'],
  )
})
