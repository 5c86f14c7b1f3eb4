// What is in the store looks and reads through the mount as it was made.

import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { base36 } from 'multiformats/bases/base36'
import { CID } from '../../src/store/cid.ts'
import { Dag, identityCid } from '../fixtures/dag.ts'
import { mountedStore, NO_MOUNT } from './mounted.ts'

const skip = NO_MOUNT

test('files, directories and symlinks read as they were made', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const parts = [dag.raw('one '), dag.raw('two '), dag.leaf('three')]
  const file = dag.file([4, 4, 5].map((size, index) => ({ cid: parts[index] as CID, size })))
  const root = dag.directory({
    'a b': dag.raw('raw'),
    empty: dag.raw(''),
    file,
    link: dag.symlink('a b'),
    sub: dag.directory({ 'ünïcode 🦊': dag.leaf('fox') }),
    void: dag.directory({}),
  })
  await mounted.put(dag)
  assert.deepEqual(readdirSync(mounted.path(root)).sort(), ['a b', 'empty', 'file', 'link', 'sub', 'void'])
  assert.equal(readFileSync(mounted.path(root, 'a b'), 'utf8'), 'raw')
  assert.equal(readFileSync(mounted.path(root, 'empty'), 'utf8'), '')
  assert.equal(readFileSync(mounted.path(root, 'file'), 'utf8'), 'one two three')
  assert.equal(readlinkSync(mounted.path(root, 'link')), 'a b')
  assert.equal(readFileSync(mounted.path(root, 'link'), 'utf8'), 'raw')
  assert.equal(readFileSync(mounted.path(root, 'sub', 'ünïcode 🦊'), 'utf8'), 'fox')
  assert.deepEqual(readdirSync(mounted.path(root, 'void')), [])
  assert.equal(readFileSync(mounted.path(file), 'utf8'), 'one two three')
})

test('a root answers to every spelling of its CID', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const root = dag.directory({ x: dag.raw('same') })
  await mounted.put(dag)
  const v0 = CID.createV0(root.multihash as Parameters<typeof CID.createV0>[0])
  const upper = `B${root.toString().slice(1).toUpperCase()}`
  for (const spelling of [root.toString(), v0.toString(), root.toString(base36), upper]) {
    assert.equal(readFileSync(mounted.path(spelling, 'x'), 'utf8'), 'same', spelling)
  }
})

test('an identity CID needs no block', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  assert.equal(readFileSync(mounted.path(identityCid(Buffer.from('in itself'))), 'utf8'), 'in itself')
})

test('of a stored mode the executable bits are shown, and no other', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const root = dag.directory({
    plain: dag.raw('-'),
    program: dag.leaf('#!', { mode: 0o755 }),
    wild: dag.leaf('!', { mode: 0o7777 }),
    sub: dag.directory({}, { mode: 0o7777 }),
  })
  await mounted.put(dag)
  const mode = (name: string) => (lstatSync(mounted.path(root, name)).mode & 0o7777).toString(8)
  assert.deepEqual(['plain', 'program', 'wild', 'sub', '.'].map(mode), ['444', '555', '555', '555', '555'])
})

const times = [
  { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
  { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
  { seconds: 0, nanoseconds: 1 },
  { seconds: -1, nanoseconds: 999_999_999 },
  { seconds: -11_644_473_600 },
  { seconds: 2 ** 40, nanoseconds: 7 },
]
test('stored times are shown with their nanoseconds, before 1970 and far away too', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { exactTimes } = (await mounted.status()) as unknown as { exactTimes: boolean }
  if (!exactTimes) return t.skip('the binding of this machine carries milliseconds only')
  const dag = new Dag()
  const file = (mtime: (typeof times)[number]) => dag.leaf('large '.repeat(100), { mtime, mode: 0o755 })
  const root = dag.directory(Object.fromEntries(times.map((mtime, index) => [`t${index}`, file(mtime)])))
  await mounted.put(dag)
  for (const [index, { seconds, nanoseconds = 0 }] of times.entries()) {
    const stat = statSync(mounted.path(root, `t${index}`), { bigint: true })
    assert.equal(stat.mtimeNs, BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds))
    // The rest of the record is not disturbed by how times get through.
    assert.deepEqual([stat.size, stat.nlink, stat.mode, stat.blocks], [600n, 1n, 0o100555n, 2n])
    assert.equal(stat.uid, BigInt(process.getuid?.() ?? 0))
  }
})

test('a huge time shows as something, and hides no neighbour', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const seconds = Number.MAX_SAFE_INTEGER
  const root = dag.directory({ far: dag.leaf('far', { mtime: { seconds } }), near: dag.raw('near') })
  await mounted.put(dag)
  assert.equal(
    statSync(mounted.path(root, 'far'), { bigint: true }).mtimeNs / 1_000_000_000n,
    BigInt(seconds),
  )
  assert.equal(readFileSync(mounted.path(root, 'near'), 'utf8'), 'near')
})

test('a sharded directory lists and finds its names', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const names = Array.from({ length: 1000 }, (_, index) => `name ${index}`)
  const root = dag.hamt(
    names.map((name) => ({ name, cid: dag.raw(name), tsize: name.length })),
    16,
  )
  await mounted.put(dag)
  for (const name of names.slice(0, 8)) assert.equal(readFileSync(mounted.path(root, name), 'utf8'), name)
  assert.deepEqual(readdirSync(mounted.path(root)).sort(), [...names].sort())
  for (const name of names) assert.equal(statSync(mounted.path(root, name)).size, name.length)
  assert.equal(readFileSync(mounted.path(root, 'name 999'), 'utf8'), 'name 999')
})

test('the top lists the roots of pins and generations that are held here', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { paths } = mounted.store
  const dag = new Dag()
  const [pinned, generation, other] = [dag.raw('pinned'), dag.raw('generation'), dag.raw('other')]
  await mounted.put(dag)
  const absent = new Dag().raw('never added')
  const link = (folder: string, name: string, target: CID) => {
    mkdirSync(folder, { recursive: true })
    symlinkSync(join('../../../../store', target.toString()), join(folder, name))
  }
  assert.deepEqual(readdirSync(paths.store), [])
  link(join(paths.pinsPerUser, 'ann', 'backup'), pinned.toString(), pinned)
  link(join(paths.pinsPerUser, 'ann', 'backup'), absent.toString(), absent)
  link(join(paths.profilesPerUser, 'bob', 'generations'), '1', generation)
  writeFileSync(join(paths.pinsPerUser, 'ann', 'stray'), 'no folder')
  assert.deepEqual(readdirSync(paths.store), [pinned, generation].map(String).sort())
  assert.equal(readFileSync(mounted.path(other), 'utf8'), 'other')
})

test('statfs shows the space of the file system below', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const [shown, below] = [statfsSync(mounted.store.paths.store), statfsSync(mounted.store.paths.blocks)]
  // df(1) shows a dash where nothing is counted, and 100 % where no inode is free.
  assert.deepEqual([shown.files, shown.ffree], [0, 0])
  const total = ({ blocks, bsize }: { blocks: number; bsize: number }) => blocks * bsize
  assert.ok(Math.abs(total(shown) - total(below)) < 2 ** 20 * 64)
})
