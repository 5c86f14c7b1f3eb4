import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { CID, DAG_PB } from '../../src/store/cid.ts'
import { list, lookup } from '../../src/store/unixfs/directory.ts'
import { decodeNode } from '../../src/store/unixfs/node.ts'
import { chunks, FileReader, readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { stat } from '../../src/store/unixfs/stat.ts'
import { concat, Dag, field, identityCid, pbLink, pbNode, unixfs } from '../fixtures/dag.ts'
import { sparseFile } from '../fixtures/hostile.ts'

/** Bytes that say where they are, so that a wrong offset shows. */
function patterned(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff
  return bytes
}

/** A file cut into leaves of these sizes, under nodes of `width` children, its leaves raw or dag-pb. */
function fileOf(
  dag: Dag,
  content: Uint8Array,
  { cuts, width, raw }: { cuts: number[]; width: number; raw: boolean },
) {
  const edges = [...new Set(cuts.map((cut) => cut % (content.length + 1))), content.length].toSorted(
    (a, b) => a - b,
  )
  let parts = edges.map((end, index) => {
    const bytes = content.subarray(edges[index - 1] ?? 0, end)
    const cid = raw ? dag.raw(bytes) : dag.node({ type: 2, data: bytes, filesize: bytes.length })
    return { cid, size: bytes.length }
  })
  while (parts.length > 1) {
    const groups = Array.from({ length: Math.ceil(parts.length / width) }, (_, group) =>
      parts.slice(group * width, (group + 1) * width),
    )
    parts = groups.map((group) => ({
      cid: dag.file(group),
      size: group.reduce((sum, { size }) => sum + size, 0),
    }))
  }
  return (parts[0] as { cid: CID }).cid
}

test('a file of any shape reads as its content, whatever is read where', () => {
  const shape = fc.record({
    length: fc.nat(3000),
    cuts: fc.array(fc.nat(3000), { maxLength: 40 }),
    width: fc.integer({ min: 2, max: 7 }),
    raw: fc.boolean(),
    reads: fc.array(fc.tuple(fc.nat(3200), fc.nat(600)), { maxLength: 8 }),
  })
  fc.assert(
    fc.property(shape, ({ length, reads, ...shape }) => {
      const dag = new Dag()
      const content = patterned(length)
      const cid = fileOf(dag, content, shape)
      assert.deepEqual(Buffer.from(readFile(dag, cid)), Buffer.from(content))
      assert.deepEqual(Buffer.concat([...chunks(dag, cid)]), Buffer.from(content))
      const reader = new FileReader(dag, cid)
      for (const [offset, size] of reads) {
        const buffer = Buffer.alloc(size, 0xee)
        const count = reader.readInto(buffer, offset)
        const expected = content.subarray(offset, offset + size)
        assert.equal(count, expected.length)
        assert.deepEqual(buffer.subarray(0, count), Buffer.from(expected))
        assert.ok(buffer.subarray(count).every((byte) => byte === 0xee))
        assert.deepEqual(
          Buffer.concat([...chunks(dag, cid, { offset, length: size })]),
          Buffer.from(expected),
        )
      }
    }),
    { numRuns: 200, seed: 7 },
  )
})

test('a node with bytes of its own and parts has its own bytes first', () => {
  const dag = new Dag()
  const cid = dag.file([{ cid: dag.raw('tail'), size: 4 }], { data: 'head', filesize: 8 })
  assert.equal(Buffer.from(readFile(dag, cid)).toString(), 'headtail')
})

test('a sequential read in small pieces asks for every block once', () => {
  const dag = new Dag()
  const content = patterned(100_000)
  const cuts = Array.from({ length: 99 }, (_, index) => (index + 1) * 1000)
  const cid = fileOf(dag, content, { cuts, width: 10, raw: true })
  dag.reads = 0
  const reader = new FileReader(dag, cid)
  const buffer = Buffer.alloc(128)
  for (let offset = 0; offset < content.length; offset += 128) reader.readInto(buffer, offset)
  assert.equal(dag.reads, 100 + 10 + 1)
})

test('reads around and beyond 4 GiB', () => {
  const dag = new Dag()
  const gap = sparseFile(dag, { leafBytes: 1024 * 1024, fanout: 64, levels: 2 })
  const end = Buffer.from('the end')
  const cid = dag.file([
    gap,
    { cid: dag.raw('middle'), size: 6 },
    gap,
    { cid: dag.raw(end), size: end.length },
  ])
  const reader = new FileReader(dag, cid)
  assert.equal(reader.size, 2 * 2 ** 32 + 6 + end.length)
  const buffer = Buffer.alloc(10)
  assert.equal(reader.readInto(buffer, 2 ** 32 - 2), 10)
  assert.equal(buffer.toString(), '\0\0middle\0\0')
  assert.equal(reader.readInto(buffer, reader.size - 9), 9)
  assert.equal(buffer.subarray(0, 9).toString(), '\0\0the end')
  assert.equal(reader.readInto(buffer, 2 ** 33), 10)
})

test('tells which blocks a range needs, without reading a leaf', () => {
  const dag = new Dag()
  const leaves = ['aaaa', 'bbbb', 'cccc', 'dddd'].map((text) => dag.raw(text))
  const cid = dag.file(leaves.map((leaf) => ({ cid: leaf, size: 4 })))
  const reader = new FileReader(dag, cid)
  dag.reads = 0
  const named = (offset: number, length: number) => reader.blocksFor(offset, length).map(String)
  assert.deepEqual(named(5, 4), leaves.slice(1, 3).map(String))
  assert.deepEqual(named(0, 1), [String(leaves[0])])
  assert.deepEqual(named(15, 100), [String(leaves[3])])
  assert.deepEqual(named(16, 1), [])
  assert.equal(dag.reads, 0)
})

for (const fanout of [8, 16, 32, 64, 128, 256, 512, 1024]) {
  test(`a sharded directory of width ${fanout} lists and finds all its names`, () => {
    const dag = new Dag()
    const entries = Array.from({ length: 2000 }, (_, index) => ({
      name: `file ${index} ${createHash('md5')
        .update(String(index))
        .digest('hex')
        .slice(0, index % 20)}`,
      cid: dag.raw(String(index)),
    }))
    const cid = dag.hamt(entries, fanout)
    const root = decodeNode(cid, dag.get(cid))
    assert.equal(root.type, 'hamt')
    const listed = new Map([...list(dag, root)].map(({ name, cid }) => [name, String(cid)]))
    assert.deepEqual(listed, new Map(entries.map(({ name, cid }) => [name, String(cid)])))
    for (const { name, cid } of entries.slice(0, 300))
      assert.equal(String(lookup(dag, root, name)), String(cid))
    assert.equal(lookup(dag, root, 'no such name'), undefined)
  })
}

test('a name that is not UTF-8 does not hide the rest of a sharded directory', () => {
  const dag = new Dag()
  const leaf = dag.raw('x')
  const cid = dag.hamt(
    [Uint8Array.of(0xff, 0x41), 'a/b', 'good', 'gut ä'].map((name) => ({ name, cid: leaf })),
    16,
  )
  const left: string[] = []
  const names = [...list(dag, cid, { onUnusable: ({ why }) => left.push(why) })].map(({ name }) => name)
  assert.deepEqual(names.toSorted(), ['good', 'gut ä'])
  assert.deepEqual(left.toSorted(), ['holds a slash', 'is not UTF-8'])
})

test('an empty directory, plain or sharded, has no entries', () => {
  const dag = new Dag()
  assert.deepEqual([...list(dag, dag.directory({}))], [])
  assert.deepEqual([...list(dag, dag.shard(256, []))], [])
})

test('v0, v1 and identity CIDs lead to the same things', () => {
  const dag = new Dag()
  const file = identityCid(Buffer.from('in the name'))
  const directory = dag.directory({ file })
  const v0 = CID.createV0(directory.multihash as never)
  assert.equal(Buffer.from(readFile(dag, resolvePath(dag, v0, 'file').cid)).toString(), 'in the name')
  const node = pbNode(unixfs({ type: 1 }), [{ cid: identityCid(Buffer.from('in')), name: 'f' }])
  assert.equal(stat(dag, resolvePath(dag, identityCid(node, DAG_PB), 'f').cid).size, 2)
})

test('data before links, packed block sizes and unknown fields are read as well', () => {
  const dag = new Dag()
  const leaf = dag.raw('abcd')
  const packed = concat([
    unixfs({ type: 2, filesize: 8 }),
    field(4, Uint8Array.of(4, 4)),
    field(100, 'later'),
  ])
  const link = field(2, pbLink({ cid: leaf }))
  const cid = dag.put(concat([field(1, packed), link, link]), DAG_PB)
  assert.equal(Buffer.from(readFile(dag, cid)).toString(), 'abcdabcd')
})

test('shows stored times with nanoseconds, executable bits, and nothing writable', () => {
  const dag = new Dag()
  const mtime = { seconds: -5, nanoseconds: 999_999_999 }
  const of = (cid: CID) => stat(dag, cid)
  assert.deepEqual(of(dag.leaf('x', { mode: 0o104755, mtime })), {
    type: 'file',
    size: 1,
    mode: 0o555,
    mtime,
  })
  assert.equal(of(dag.leaf('x', { mode: 0o600 })).mode, 0o444)
  assert.equal(of(dag.leaf('x', { mode: 0o700 })).mode, 0o544)
  assert.equal(of(dag.leaf('x')).mode, 0o444)
  assert.deepEqual(of(dag.directory({}, { mode: 0o700 })), {
    type: 'directory',
    size: 0,
    mode: 0o555,
    mtime: { seconds: 0, nanoseconds: 0 },
  })
  assert.deepEqual(of(dag.symlink('ä/x')), {
    type: 'symlink',
    size: 4,
    mode: 0o777,
    mtime: { seconds: 0, nanoseconds: 0 },
    target: 'ä/x',
  })
})

test('the size of a raw leaf comes from its file where there is one', () => {
  const dag = new Dag()
  const cid = dag.raw('four')
  dag.reads = 0
  assert.equal(stat(dag, cid, { blockSize: () => 4 }).size, 4)
  assert.equal(dag.reads, 0)
  assert.equal(stat(dag, cid).size, 4)
})
