// After a crash a block file may have the right name and the right length, and wrong
// bytes. Who adds or links in the next boot does not fall for it.
//
// Another boot is made by a mark that names one: this process cannot have two.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { recheck } from '../../src/store/add/recheck.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import { isQuarantined } from '../../src/store/blocks/quarantine.ts'
import type { CID } from '../../src/store/cid.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { requireComplete } from '../../src/store/links/closure.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryStore } from '../helpers/store.ts'

const bytes = Buffer.from('what somebody added')
const cid = rawCid(bytes)

const putOne = (store: Store) => withAdd(store, (add) => add.put([{ cid, bytes }]))

/** A tree of so many files, on stable storage when it is told so. */
function addTree(store: Store, files: number, { commit = false } = {}): Promise<CID> {
  const entries = Array.from({ length: files }, (_, n) => ({
    path: `f${n}`,
    content: Buffer.from(`${files} ${n}`),
  }))
  return withAdd(store, async (add) => {
    const { cid } = await buildTree(add, entries)
    if (commit) await add.commit([cid])
    return cid
  })
}

/** As if the machine had crashed and come up again; `seconds` moves the moment up to which all is on stable storage. */
function crash({ paths }: Store, seconds = 0): void {
  const { mtime } = statSync(paths.stableMark)
  const [, , , place] = readFileSync(paths.stableMark, 'latin1').trim().split(' ')
  writeFileSync(paths.stableMark, `stable 1 00000000-0000-4000-8000-000000000000 ${place}\n`)
  setMark({ paths }, mtime.getTime() / 1000 + seconds)
}

function setMark({ paths }: Pick<Store, 'paths'>, seconds: number): void {
  utimesSync(paths.stableMark, seconds, seconds)
}

const markTime = ({ paths }: Store) => statSync(paths.stableMark).mtimeMs

/** What a disk may hold that was told of a file's length, and not of its bytes. */
function zero(store: Store, cid: CID): void {
  const file = store.blocks.file(cid)
  chmodSync(file, 0o644)
  writeFileSync(file, Buffer.alloc(store.blocks.size(cid)!))
}

test('in a new boot an add does not find what a crash left wrong: it writes it anew', async (t) => {
  const store = await temporaryStore(t)
  await putOne(store)
  zero(store, cid)
  crash(store)
  assert.deepEqual(await putOne(store), { written: 1, present: 0, writtenBytes: bytes.length })
  assert.deepEqual(Buffer.from(store.blocks.get(cid)), bytes)
})

for (const [left, damage] of [
  ['zeros', zero],
  ['nothing', (store: Store, cid: CID) => writeFileSync(store.blocks.file(cid), '')],
] as const) {
  test(`a DAG in which a crash left ${left} is not pinned as if it were whole`, async (t) => {
    const store = await temporaryStore(t)
    const root = await addTree(store, 3)
    const leaf = rawCid(Buffer.from('3 1'))
    chmodSync(store.blocks.file(leaf), 0o644)
    damage(store, leaf)
    requireComplete(store, root)
    crash(store)
    await assert.rejects(addPin(store, { prog: 'p', cid: root }), { code: 'INCOMPLETE' })
    assert.ok(isQuarantined(store.paths, leaf))
  })
}

test('in the same boot nothing is read', async (t) => {
  const store = await temporaryStore(t)
  await addTree(store, 3)
  assert.equal(await recheck(store), undefined)
})

test('once a boot is enough', async (t) => {
  const store = await temporaryStore(t)
  await addTree(store, 3)
  crash(store)
  assert.equal((await recheck(store))?.blocks, 4)
  assert.equal(await recheck(store), undefined)
})

test('what was written long before the mark is not read again', async (t) => {
  const store = await temporaryStore(t)
  await addTree(store, 3)
  crash(store, 3600)
  assert.equal((await recheck(store))?.blocks, 0)
})

test('without a mark, or with one that nobody can read, all is read', async (t) => {
  const store = await temporaryStore(t)
  await addTree(store, 3)
  for (const spoil of [
    () => rmSync(store.paths.stableMark),
    () => writeFileSync(store.paths.stableMark, ''),
    () => writeFileSync(store.paths.stableMark, 'stable 2 and what not\n'),
    () => writeFileSync(store.paths.stableMark, Buffer.alloc(100_000)),
  ]) {
    spoil()
    assert.equal((await recheck(store))?.blocks, 4)
  }
})

test('a flush of the file system moves the mark on; one of a few files says nothing of the others', async (t) => {
  const store = await temporaryStore(t)
  setMark(store, 1_000_000)
  await addTree(store, 3, { commit: true })
  assert.equal(markTime(store), 1_000_000_000)
  const before = Date.now()
  await addTree(store, 200, { commit: true })
  assert.ok(markTime(store) >= before - 1000)
})

test('where the clock was set back, all is flushed and the mark is made anew', async (t) => {
  const store = await temporaryStore(t)
  await addTree(store, 3)
  setMark(store, Date.now() / 1000 + 3600)
  assert.equal((await recheck(store))?.blocks, 0)
  assert.ok(markTime(store) <= Date.now())
})

test('of those who come at once one looks, and the others wait for it', async (t) => {
  const store = await temporaryStore(t)
  await addTree(store, 100)
  crash(store)
  const figures = await Promise.all([1, 2, 3].map(() => recheck(store)))
  assert.deepEqual(
    figures.filter(Boolean).map((one) => one?.blocks),
    [101],
  )
})

test('one that is interrupted leaves it to the next', async (t) => {
  const store = await temporaryStore(t)
  await addTree(store, 3)
  crash(store)
  await assert.rejects(recheck(store, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  assert.equal((await recheck(store))?.blocks, 4)
})

test('what stands in a block’s place is moved away as damage', async (t) => {
  const store = await temporaryStore(t)
  await putOne(store)
  rmSync(store.blocks.file(cid))
  mkdirSync(store.blocks.file(cid))
  crash(store)
  assert.deepEqual((await recheck(store))?.bad.map(String), [String(cid)])
})
