// What is missing, damaged or hostile is an error at that name only, at once,
// and never bytes (invariants 1 and 7).

import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'node:test'
import type { CID } from '../../src/store/cid.ts'
import { Dag } from '../fixtures/dag.ts'
import { directoryOfBadNames, hostileNodes, lyingFiles } from '../fixtures/hostile.ts'
import { errnoName, type MountedStore, mountedStore, NO_MOUNT } from './mounted.ts'

const skip = NO_MOUNT

/** Lists a directory; reads a file to its end, or to where it is too long to be true. */
function look(path: string): void {
  if (statSync(path).isDirectory()) return void readdirSync(path)
  const fd = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(128 * 1024)
    for (let at = 0; at < 2 ** 26; at += buffer.length) {
      if (readSync(fd, buffer, 0, buffer.length, at) < buffer.length) return
    }
  } finally {
    closeSync(fd)
  }
}

/** Flips one bit of a block's file. */
function damage({ store }: MountedStore, cid: CID): void {
  const file = store.blocks.file(cid)
  const bytes = readFileSync(file)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
  chmodSync(file, 0o644)
  writeFileSync(file, bytes)
}

test('an unknown or malformed root is ENOENT', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const root = dag.raw('late')
  for (const name of [root.toString(), 'nonsense', 'bafybeibroken', 'Qm', `${root}x`, 'f'.repeat(255)]) {
    assert.equal(
      errnoName(() => statSync(mounted.path(name))),
      'ENOENT',
      name,
    )
    assert.equal(
      errnoName(() => readdirSync(mounted.path(name))),
      'ENOENT',
      name,
    )
  }
})

test('a missing block below a root is EIO, and readable once it is there', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const missing = dag.raw('gone')
  const size = 4
  const root = dag.directory([
    { name: 'raw', cid: missing, tsize: size },
    { name: 'large', cid: dag.file([{ cid: missing, size }]) },
    { name: 'sub', cid: dag.directory({}, { mode: 0o700 }) },
    { name: 'there', cid: dag.raw('there') },
  ])
  const sub = dag.directory({}, { mode: 0o700 })
  await mounted.put(dag)
  for (const cid of [missing, sub]) rmSync(mounted.store.blocks.file(cid))
  assert.equal(
    errnoName(() => readFileSync(mounted.path(root, 'raw'))),
    'EIO',
  )
  assert.equal(
    errnoName(() => readFileSync(mounted.path(root, 'large'))),
    'EIO',
  )
  assert.equal(
    errnoName(() => readdirSync(mounted.path(root, 'sub'))),
    'EIO',
  )
  assert.equal(readFileSync(mounted.path(root, 'there'), 'utf8'), 'there')
  assert.equal(
    errnoName(() => statSync(mounted.path(root, 'nothing'))),
    'ENOENT',
  )
  await mounted.put(dag)
  assert.equal(readFileSync(mounted.path(root, 'raw'), 'utf8'), 'gone')
  assert.equal(readFileSync(mounted.path(root, 'large'), 'utf8'), 'gone')
})

test('a block with one flipped bit is EIO, and heals by adding it again', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const bytes = Buffer.alloc(10_000, 'right')
  const bad = dag.raw(bytes)
  const root = dag.directory([
    { name: 'bad', cid: bad, tsize: bytes.length },
    { name: 'good', cid: dag.raw('good') },
  ])
  await mounted.put(dag)
  damage(mounted, bad)
  assert.equal(
    errnoName(() => readFileSync(mounted.path(root, 'bad'))),
    'EIO',
  )
  assert.equal(
    errnoName(() => readFileSync(mounted.path(root, 'bad'))),
    'EIO',
  )
  assert.equal(readFileSync(mounted.path(root, 'good'), 'utf8'), 'good')
  await mounted.put(dag)
  assert.deepEqual(readFileSync(mounted.path(root, 'bad')), bytes)
})

test('a block that was good is verified again once caches let go of it', { skip }, async (t) => {
  // A cache of one byte keeps only the block that was used last.
  const mounted = await mountedStore(t, { 'mount.cacheBytes': 1 })
  const dag = new Dag()
  const bytes = Buffer.alloc(10_000, 'right')
  const root = dag.directory([
    { name: 'file', cid: dag.raw(bytes), tsize: bytes.length },
    { name: 'other', cid: dag.raw('other') },
  ])
  await mounted.put(dag)
  assert.deepEqual(readFileSync(mounted.path(root, 'file')), bytes)
  damage(mounted, dag.raw(bytes))
  assert.equal(readFileSync(mounted.path(root, 'other'), 'utf8'), 'other')
  // O_DIRECT asks the server, whatever the kernel keeps.
  const fd = openSync(mounted.path(root, 'file'), constants.O_RDONLY | constants.O_DIRECT)
  try {
    assert.equal(
      errnoName(() => readSync(fd, Buffer.alloc(4096), 0, 4096, 0)),
      'EIO',
    )
  } finally {
    closeSync(fd)
  }
})

test('a shortened block file never makes a shorter file', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const cid = dag.raw('all of it')
  const root = dag.directory([{ name: 'file', cid, tsize: 9 }])
  await mounted.put(dag)
  const file = mounted.store.blocks.file(cid)
  chmodSync(file, 0o644)
  truncateSync(file, 4)
  assert.equal(
    errnoName(() => statSync(mounted.path(root, 'file'))),
    'EIO',
  )
  await mounted.put(dag)
  assert.equal(readFileSync(mounted.path(root, 'file'), 'utf8'), 'all of it')
})

test("a link's lying size is not the file's", { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const cid = dag.raw('nine byte')
  const tsizes = [0, 4, 10, 2 ** 40]
  const root = dag.directory(tsizes.map((tsize) => ({ name: `t${tsize}`, cid, tsize })))
  await mounted.put(dag)
  for (const tsize of tsizes) {
    assert.equal(statSync(mounted.path(root, `t${tsize}`)).size, 9)
    assert.equal(readFileSync(mounted.path(root, `t${tsize}`), 'utf8'), 'nine byte')
  }
})

test('names that no path can hold are left out, their neighbours are listed', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const { cid } = directoryOfBadNames(dag)
  await mounted.put(dag)
  assert.deepEqual(readdirSync(mounted.path(cid)), ['a', 'z'])
  for (const name of ['a', 'z']) assert.equal(readFileSync(mounted.path(cid, name), 'utf8'), 'leaf')
})

test('what is not UnixFS is an error at its own name only', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const root = dag.directory({
    cbor: dag.put(Buffer.from('a0', 'hex'), 0x71),
    broken: dag.put(Buffer.from('not dag-pb'), 0x70),
    fine: dag.raw('fine'),
  })
  await mounted.put(dag)
  assert.deepEqual(readdirSync(mounted.path(root)).sort(), ['broken', 'cbor', 'fine'])
  assert.equal(
    errnoName(() => statSync(mounted.path(root, 'cbor'))),
    'EIO',
  )
  assert.equal(
    errnoName(() => statSync(mounted.path(root, 'broken'))),
    'EIO',
  )
  assert.equal(readFileSync(mounted.path(root, 'fine'), 'utf8'), 'fine')
})

test('every hostile node is an error, and the server answers on', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const hostile = [...hostileNodes(dag), ...lyingFiles(dag)]
  const root = dag.directory(hostile.map(({ cid }, index) => ({ name: `h${index}`, cid })))
  const fine = dag.raw('fine')
  await mounted.put(dag)
  for (const [index, { title }] of hostile.entries()) {
    const path = mounted.path(root, `h${index}`)
    assert.equal(
      errnoName(() => look(path)),
      'EIO',
      title,
    )
    assert.equal(readFileSync(mounted.path(fine), 'utf8'), 'fine')
  }
})

test('writing is EROFS', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const root = dag.directory({ file: dag.raw('file') })
  await mounted.put(dag)
  assert.equal(
    errnoName(() => writeFileSync(mounted.path(root, 'new'), '')),
    'EROFS',
  )
  assert.equal(
    errnoName(() => writeFileSync(mounted.path(root, 'file'), '')),
    'EROFS',
  )
  assert.equal(
    errnoName(() => unlinkSync(mounted.path(root, 'file'))),
    'EROFS',
  )
  assert.equal(
    errnoName(() => chmodSync(mounted.path(root, 'file'), 0o777)),
    'EROFS',
  )
})
