import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ErrorCode, hasCode, PkgError } from '../../src/errors.ts'
import { CID, DAG_CBOR, DAG_PB, RAW } from '../../src/store/cid.ts'
import { list, lookup } from '../../src/store/unixfs/directory.ts'
import { measureTree } from '../../src/store/unixfs/measure.ts'
import { decodeNode } from '../../src/store/unixfs/node.ts'
import { FileReader, readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { Dag, identityCid } from '../fixtures/dag.ts'
import * as hostile from '../fixtures/hostile.ts'

function refuses(run: () => unknown, code: ErrorCode, named?: string): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof PkgError, String(error))
    assert.equal(error.code, code, error.message)
    if (named !== undefined) assert.ok(error.message.includes(named), error.message)
    return true
  })
}

const dag = new Dag()

for (const { title, cid, code } of hostile.hostileNodes(dag)) {
  test(`refuses, naming the node: ${title}`, () => {
    refuses(() => decodeNode(cid, dag.get(cid)), code, cid.toString())
  })
}

for (const { title, cid, code } of hostile.lyingFiles(dag)) {
  test(`gives no byte of a file with ${title}`, () => {
    const reader = new FileReader(dag, cid)
    refuses(() => reader.readInto(new Uint8Array(4), 0), code)
  })
}

for (const { title, cid, code } of hostile.lyingShards(dag)) {
  test(`does not list ${title}`, () => {
    refuses(() => [...list(dag, cid)], code)
    // A look-up may not meet the lie, but it ends.
    try {
      lookup(dag, cid, 'x')
    } catch (error) {
      assert.ok(hasCode(error, code), String(error))
    }
  })
}

test('leaves out names that no path can hold, and keeps their neighbours', () => {
  const { cid, left } = hostile.directoryOfBadNames(dag)
  const reasons: string[] = []
  const names = [...list(dag, cid, { onUnusable: ({ why }) => reasons.push(why) })].map(({ name }) => name)
  assert.deepEqual(names, ['a', 'z'])
  assert.equal(reasons.length, left)
})

test('finds no name that no path can hold', () => {
  const { cid } = hostile.directoryOfBadNames(dag)
  for (const name of ['', '.', '..', 'a/b', '../up', 'nul\0', 'x'.repeat(256)]) {
    assert.equal(lookup(dag, cid, name), undefined, JSON.stringify(name))
  }
  assert.ok(lookup(dag, cid, 'z'))
})

test('the first of two entries with one name is found, at the first look and later', () => {
  const [one, two] = [dag.raw('1'), dag.raw('2')]
  const cid = dag.directory([one, two].map((cid) => ({ name: 'n', cid })))
  const node = decodeNode(cid, dag.get(cid))
  for (let look = 0; look < 3; look++) assert.equal(String(lookup(dag, node, 'n')), String(one))
})

test('tells names apart that differ in a byte order mark only', () => {
  const [plain, marked] = [dag.raw('plain'), dag.raw('marked')]
  const cid = dag.directory({ name: plain, '\uFEFFname': marked })
  assert.equal(String(lookup(dag, cid, '\uFEFFname')), String(marked))
  assert.deepEqual(
    [...list(dag, cid)].map(({ name }) => name),
    ['name', '\uFEFFname'],
  )
})

test('a path through ten thousand directories is walked without a stack', () => {
  const cid = hostile.deepDirectory(dag, 10_000)
  const { node } = resolvePath(dag, cid, 'd/'.repeat(10_000))
  assert.equal(node.type, 'directory')
  assert.deepEqual(measureTree(dag, cid), { entries: 10_001, bytes: 0 })
})

test('a directory that stands for 2^50 files is measured in as many steps as it has blocks', () => {
  const cid = hostile.laughingDirectory(dag, 50)
  const { entries, bytes } = measureTree(dag, cid)
  assert.equal(entries, 2 ** 51 - 1)
  assert.equal(bytes, 2 ** 51)
})

test('the same bytes as a directory and as a file are measured and read as what they are called', () => {
  const dag = new Dag()
  const inner = dag.directory({ x: dag.raw('leaf') })
  const bytes = dag.get(inner).length
  const both = dag.directory({ a: inner, b: CID.createV1(RAW, inner.multihash) })
  assert.deepEqual(measureTree(dag, both), { entries: 4, bytes: 4 + bytes })
  const part = dag.file([{ cid: dag.raw('leaf'), size: 4 }])
  const cbor = CID.createV1(DAG_CBOR, part.multihash)
  const file = dag.file([part, cbor].map((cid) => ({ cid, size: 4 })))
  refuses(() => readFile(dag, file), 'NOT_UNIXFS', String(cbor))
})

test('a file of petabytes is opened and read at its end', () => {
  const { cid, size } = hostile.sparseFile(dag, { leafBytes: 1024, fanout: 1024, levels: 4 })
  const reader = new FileReader(dag, cid)
  assert.equal(reader.size, size)
  const buffer = new Uint8Array(4096).fill(1)
  assert.equal(reader.readInto(buffer, size - 4000), 4000)
  assert.ok(buffer.subarray(0, 4000).every((byte) => byte === 0))
  assert.equal(reader.readInto(buffer, size), 0)
  refuses(() => readFile(dag, cid), 'UNSUPPORTED', cid.toString())
})

test('parts of one byte, as many as a block can name, cost a step each and little memory', () => {
  const dag = new Dag()
  const x = identityCid(Buffer.from('x'))
  const none = identityCid(Buffer.alloc(0))
  const count = 100_000
  const parts = Array.from({ length: count }, () => ({ cid: x, size: 1 }))
  let file = { cid: dag.file(parts), size: count }
  // Parts of no bytes make every node on the way as large.
  for (let level = 0; level < 2; level++) {
    file = { cid: dag.file([file, ...parts.map(() => ({ cid: none, size: 0 }))]), size: count }
  }
  const reader = new FileReader(dag, file.cid)
  dag.reads = 0
  const buffer = new Uint8Array(count)
  assert.equal(reader.readInto(buffer, 0), count)
  assert.ok(buffer.every((byte) => byte === 0x78))
  assert.ok(dag.reads < 10, `${dag.reads} reads`)
  assert.ok(reader.weight < 20 * 1024 * 1024)
  assert.ok(new FileReader(dag, file.cid).blocksFor(0, count).length <= 1024)
  for (let level = 0; level < 3; level++) {
    file = { cid: dag.file([file, ...parts.map(() => ({ cid: none, size: 0 }))]), size: count }
  }
  refuses(() => readFile(dag, file.cid), 'BAD_NODE', String(file.cid))
})

test('symlinks are followed inside the DAG only, and not for ever', () => {
  const cid = dag.directory({
    up: dag.symlink('../x'),
    root: dag.symlink('/etc/passwd'),
    loop: dag.symlink('loop'),
    over: dag.symlink('sub/../sub/file'),
    sub: dag.directory({ file: dag.raw('here'), back: dag.symlink('../over') }),
  })
  const follow = (path: string) => resolvePath(dag, cid, path, { followLinks: true })
  for (const path of ['up', 'root', 'loop', 'sub/../over', '..', '.'])
    refuses(() => follow(path), 'NOT_FOUND')
  assert.equal(String(follow('sub/back').cid), String(dag.raw('here')))
  refuses(() => resolvePath(dag, cid, 'over/x'), 'NOT_DIRECTORY')
  assert.equal(resolvePath(dag, cid, 'over').node.type, 'symlink')
})

test('whatever bytes a node has: it opens, or the error says why', () => {
  const honest = new Dag()
  const leaf = honest.raw('leaf')
  const mtime = { seconds: 1, nanoseconds: 2 }
  honest.directory({ a: leaf, b: leaf }, { mode: 0o755, mtime })
  honest.file(Array.from({ length: 3 }, () => ({ cid: leaf, size: 4 })))
  honest.symlink('target')
  honest.hamt(
    ['a', 'b', 'c'].map((name) => ({ name, cid: leaf })),
    8,
  )
  const nodes = [...honest.blocks.values()].filter(({ cid }) => cid.code === DAG_PB).map(({ bytes }) => bytes)
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.constantFrom(...nodes), changes, fc.nat(20), (node, changes, cut) => {
      const bytes = Buffer.from(node).subarray(0, node.length - (cut > 10 ? cut : 0))
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
      openAll(honest, honest.put(bytes, DAG_PB))
    }),
    { numRuns: 3000, seed: 11 },
  )
})

/** Does all that readers do with a node; anything but an error of ours is a fault. */
function openAll(dag: Dag, cid: CID): void {
  try {
    const node = decodeNode(cid, dag.get(cid))
    if (node.type === 'file') new FileReader(dag, node).readInto(new Uint8Array(100), 0)
    if (node.type === 'directory' || node.type === 'hamt') {
      lookup(dag, node, 'a')
      for (const entry of list(dag, node)) assert.ok(entry.name !== '')
    }
  } catch (error) {
    if (!hasCode(error, 'BAD_NODE', 'NOT_UNIXFS', 'MISSING_BLOCK', 'UNSUPPORTED')) throw error
  }
}
