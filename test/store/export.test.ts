import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { DAG_CBOR } from '../../src/store/cid.ts'
import { exportTree } from '../../src/store/export.ts'
import type { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import {
  deepDirectory,
  directoryOfBadNames,
  laughingDirectory,
  lyingFiles,
  sparseFile,
} from '../fixtures/hostile.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** A store that holds `dag`, and a fresh directory to export into. */
async function prepare(t: TestContext, dag: Dag): Promise<{ store: Store; out: string }> {
  const store = await temporaryStore(t)
  await putDag(store, dag)
  return { store, out: await temporaryDirectory(t) }
}

test('a tree comes out with its files, symlinks, executable bits and times', async (t) => {
  const dag = new Dag()
  const mtime = { seconds: 1_000_000_000, nanoseconds: 500_000_000 }
  const cid = dag.directory(
    {
      program: dag.leaf('#!/bin/sh', { mode: 0o755, mtime }),
      text: dag.file(['a', 'bc'].map((part) => ({ cid: dag.raw(part), size: part.length }))),
      link: dag.symlink('../outside'),
      empty: dag.directory({}),
      sharded: dag.hamt([{ name: 'x', cid: dag.raw('in a shard') }], 16),
    },
    { mtime },
  )
  const { store, out } = await prepare(t, dag)
  const figures = await exportTree(store, cid, join(out, 'tree'))
  assert.deepEqual(figures, { files: 3, directories: 3, symlinks: 1, bytes: 22, leftOut: [] })
  const at = (path: string) => join(out, 'tree', path)
  assert.equal(readFileSync(at('text'), 'utf8'), 'abc')
  assert.equal(readFileSync(at('sharded/x'), 'utf8'), 'in a shard')
  assert.equal(readlinkSync(at('link')), '../outside')
  assert.equal(lstatSync(at('program')).mode & 0o100, 0o100)
  assert.equal(lstatSync(at('text')).mode & 0o111, 0)
  for (const path of ['', 'program']) assert.equal(lstatSync(at(path)).mtimeMs, 1_000_000_000_500)
  assert.deepEqual(readdirSync(out), ['tree'])
})

test('a file or a symlink comes out alone', async (t) => {
  const dag = new Dag()
  const [file, link] = [dag.raw('content'), dag.symlink('/somewhere')]
  const { store, out } = await prepare(t, dag)
  await exportTree(store, file, join(out, 'file'))
  await exportTree(store, link, join(out, 'link'))
  assert.equal(readFileSync(join(out, 'file'), 'utf8'), 'content')
  assert.equal(readlinkSync(join(out, 'link')), '/somewhere')
})

test('what is there stays, unless it shall be replaced', async (t) => {
  const dag = new Dag()
  const cid = dag.directory({ new: dag.raw('new') })
  const { store, out } = await prepare(t, dag)
  mkdirSync(join(out, 'tree'))
  writeFileSync(join(out, 'tree', 'old'), '')
  await assert.rejects(exportTree(store, cid, join(out, 'tree')), { code: 'EXISTS' })
  assert.deepEqual(readdirSync(join(out, 'tree')), ['old'])
  await exportTree(store, cid, join(out, 'tree'), { force: true })
  assert.deepEqual(readdirSync(join(out, 'tree')), ['new'])
  assert.deepEqual(readdirSync(out), ['tree'])
  await assert.rejects(exportTree(store, cid, join(out, 'no', 'tree')), { code: 'NOT_FOUND' })
})

test('no name leads outside; bad ones and what is not UnixFS are left out and told', async (t) => {
  const dag = new Dag()
  const bad = directoryOfBadNames(dag)
  const cid = dag.directory({
    bad: bad.cid,
    cbor: dag.put(Uint8Array.of(0xa0), DAG_CBOR),
    good: dag.raw('good'),
  })
  const { store, out } = await prepare(t, dag)
  const { leftOut } = await exportTree(store, cid, join(out, 'tree'))
  assert.equal(leftOut.length, bad.left + 1)
  assert.deepEqual(readdirSync(join(out, 'tree')).toSorted(), ['bad', 'good'])
  assert.deepEqual(readdirSync(join(out, 'tree', 'bad')), ['a', 'z'])
  assert.deepEqual(readdirSync(out), ['tree'])
})

test('a symlink and a directory of one name: nothing is written through the link', async (t) => {
  const dag = new Dag()
  const out = await temporaryDirectory(t)
  const inside = dag.directory({ written: dag.raw('x') })
  const cid = dag.directory([
    { name: 'd', cid: dag.symlink(out) },
    { name: 'd', cid: inside },
  ])
  const { store } = await prepare(t, dag)
  const { leftOut } = await exportTree(store, cid, join(out, 'tree'))
  assert.equal(leftOut.length, 1)
  assert.equal(existsSync(join(out, 'written')), false)
})

test('what no disk can hold is refused before the first byte', async (t) => {
  const dag = new Dag()
  const huge = sparseFile(dag, { leafBytes: 1024, fanout: 1024, levels: 4 })
  const laughing = laughingDirectory(dag, 50)
  const { store, out } = await prepare(t, dag)
  for (const cid of [huge.cid, laughing]) {
    await assert.rejects(exportTree(store, cid, join(out, 'tree')), { code: 'NO_SPACE' })
  }
  assert.deepEqual(readdirSync(out), [])
})

test('what fails on the way leaves nothing', async (t) => {
  const dag = new Dag()
  const deep = deepDirectory(dag, 3000)
  const lies = lyingFiles(dag).slice(0, 2)
  const roots = lies.map(({ cid }) => dag.directory({ before: dag.raw('x'), cid }))
  const missing = dag.directory({ missing: new Dag().raw('not here') })
  const { store, out } = await prepare(t, dag)
  await assert.rejects(exportTree(store, deep, join(out, 'tree')), { code: 'UNSUPPORTED' })
  for (const root of roots)
    await assert.rejects(exportTree(store, root, join(out, 'tree')), { code: 'BAD_NODE' })
  await assert.rejects(exportTree(store, missing, join(out, 'tree')), { code: 'MISSING_BLOCK' })
  await assert.rejects(
    exportTree(store, roots[0] as never, join(out, 'tree'), { signal: AbortSignal.abort() }),
  )
  assert.deepEqual(readdirSync(out), [])
})
