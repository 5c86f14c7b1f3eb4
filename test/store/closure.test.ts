import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import { hasCode } from '../../src/errors.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { type CID, DAG_CBOR, DAG_PB, RAW } from '../../src/store/cid.ts'
import {
  closure,
  closureSize,
  hasAll,
  missingBlocks,
  requireComplete,
} from '../../src/store/links/closure.ts'
import { linksOf } from '../../src/store/links/links.ts'
import { reindex } from '../../src/store/verify/reindex.ts'
import { verifyStore } from '../../src/store/verify/verify.ts'
import { Dag, identityCid, pbNode, unixfs } from '../fixtures/dag.ts'
import { deepDirectory, laughingDirectory } from '../fixtures/hostile.ts'
import { car, importBytes, putDag, temporaryStore } from '../helpers/store.ts'

/** Links straight from the blocks in memory: the walk needs no store. */
const linksIn = (dag: Dag) => ({ children: (cid: CID) => linksOf(cid, dag.get(cid)) })
const walk = (dag: Dag, ...roots: CID[]) => [...closure(linksIn(dag), roots)].map(String)

function damage(file: string): void {
  const bytes = readFileSync(file)
  bytes[0] = (bytes[0] as number) ^ 1
  chmodSync(file, 0o644)
  writeFileSync(file, bytes)
}

test('a closure is walked depth first in the order of links, each block once', () => {
  const dag = new Dag()
  const [a, b, c] = [dag.raw('a'), dag.raw('b'), dag.raw('c')]
  const sub = dag.directory({ b, a })
  const root = dag.directory({ a, sub, c, again: sub })
  assert.deepEqual(walk(dag, root), [root, a, sub, b, c].map(String))
  assert.deepEqual(walk(dag, sub, root), [sub, b, a, root, c].map(String))
})

test('deep DAGs and ones of 2^60 paths are walked in as many steps as they have blocks', () => {
  const dag = new Dag()
  assert.equal(walk(dag, deepDirectory(dag, 10_000)).length, 10_001)
  assert.equal(walk(dag, laughingDirectory(dag, 60)).length, 61)
})

test('dag-cbor and what identity CIDs carry are walked through', () => {
  const dag = new Dag()
  const [leaf, other] = [dag.raw('leaf'), dag.raw('other')]
  const cbor = dag.put(encodeCbor({ list: [{ leaf }] }), DAG_CBOR)
  const inline = identityCid(pbNode(unixfs({ type: 1 }), [{ cid: other, name: 'o' }]), DAG_PB)
  const root = dag.directory({ cbor, inline, text: identityCid(Buffer.from('x')) })
  assert.deepEqual(walk(dag, root), [root, cbor, leaf, other].map(String))
})

test('bytes that are linked as a leaf and as a node are given once and walked as a node', () => {
  const dag = new Dag()
  const leaf = dag.raw('leaf')
  const node = dag.directory({ leaf })
  const asLeaf = dag.put(dag.get(node), RAW)
  dag.put(dag.get(node), DAG_PB)
  assert.deepEqual(walk(dag, dag.directory({ asLeaf, node })).slice(1), [asLeaf, leaf].map(String))
})

test('a node that is not of its codec reaches nothing, and stops nobody', () => {
  const dag = new Dag()
  const broken = dag.put(Buffer.from('no node'), DAG_PB)
  const leaf = dag.raw('leaf')
  const root = dag.directory({ broken, leaf })
  assert.deepEqual(walk(dag, root), [root, broken, leaf].map(String))
})

test('a missing node throws, or is told and passed by', () => {
  const dag = new Dag()
  const sub = dag.directory({ x: dag.raw('x') })
  const root = dag.directory({ sub, leaf: dag.raw('leaf') })
  dag.blocks.delete([...dag.blocks.keys()][1] as string)
  assert.throws(() => walk(dag, root), { code: 'MISSING_BLOCK' })
  const missing: string[] = []
  const given = [...closure(linksIn(dag), [root], { onMissing: (cid) => missing.push(String(cid)) })]
  assert.deepEqual(missing, [String(sub)])
  assert.equal(given.length, 3)
})

test('a store tells what is missing of a DAG, how large it is, and whether it is whole', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const leaf = dag.raw('a leaf')
  const sub = dag.directory({ leaf })
  const root = dag.directory({ sub, again: leaf })
  await putDag(store, dag)
  const bytes = [...dag.blocks.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  assert.deepEqual(closureSize(store, root), { blocks: 3, bytes })
  requireComplete(store, root)

  unlinkSync(store.blocks.file(leaf))
  assert.deepEqual(missingBlocks(store, root).map(String), [String(leaf)])
  unlinkSync(store.blocks.file(sub))
  store.close()
  rmSync(store.paths.index)
  // Without its node nobody knows what lies below.
  assert.deepEqual(missingBlocks(store, sub).map(String), [String(sub)])
  assert.equal(hasAll(store, [root]), false)
  assert.throws(
    () => requireComplete(store, root),
    (error) =>
      hasCode(error, 'INCOMPLETE') && [root, sub, leaf].every((cid) => error.message.includes(String(cid))),
  )
})

test('verify names a corrupt block, takes it out of the way, and adding it again heals', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const leaf = dag.raw('a leaf')
  const root = dag.directory({ leaf })
  const bytes = car([root], dag.blocks.values())
  await importBytes(store, bytes)
  assert.deepEqual((await verifyStore(store, { roots: [root] })).corrupt, [])
  assert.equal(store.index.isComplete(root), true)

  damage(store.blocks.file(leaf))
  const looked = await verifyStore(store, { repair: false })
  assert.deepEqual(
    looked.corrupt.map(({ cid, quarantined }) => [String(cid), quarantined]),
    [[String(leaf), false]],
  )
  assert.equal(store.blocks.has(leaf), true)

  const verified = await verifyStore(store, { roots: [root] })
  assert.deepEqual(
    verified.corrupt.map(({ cid, quarantined }) => [String(cid), quarantined]),
    [[String(leaf), true]],
  )
  assert.deepEqual(
    verified.incompleteRoots.map(({ missing }) => missing.map(String)),
    [[String(leaf)]],
  )
  assert.equal(store.index.isComplete(root), false)

  await importBytes(store, bytes)
  const healed = await verifyStore(store, { roots: [root] })
  assert.deepEqual([healed.blocks, healed.corrupt, healed.incompleteRoots], [2, [], []])
})

test('a block file of any size is judged without taking it into memory', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const leaf = dag.raw('small')
  await putDag(store, dag)
  chmodSync(store.blocks.file(leaf), 0o644)
  writeFileSync(store.blocks.file(leaf), new Uint8Array(3 * 1024 * 1024))
  const { corrupt } = await verifyStore(store)
  assert.deepEqual(
    corrupt.map(({ cid }) => String(cid)),
    [String(leaf)],
  )
})

test('reindex brings back the links and sizes of every codec, from the blocks alone', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const leaf = dag.raw('leaf')
  const cbor = dag.put(encodeCbor({ leaf }), DAG_CBOR)
  const root = dag.directory({ cbor, leaf })
  await withAdd(store, (add) => add.put([...dag.blocks.values()]))
  store.index.clear()
  const { blocks, nodes } = await reindex(store)
  assert.deepEqual([blocks, nodes], [3, 2])
  assert.deepEqual(store.index.children(root)?.map(String), [String(cbor), String(leaf)])
  assert.deepEqual(store.index.children(cbor)?.map(String), [String(leaf)])
})

test('verify and reindex end when they are told to', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  dag.raw('x')
  await putDag(store, dag)
  const signal = AbortSignal.abort()
  await assert.rejects(verifyStore(store, { signal }), { name: 'AbortError' })
  await assert.rejects(reindex(store, { signal }), { name: 'AbortError' })
})
