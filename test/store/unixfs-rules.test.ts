// The rules of the UnixFS specification that say what a reader does, each with a node that
// keeps or breaks it. Source: https://specs.ipfs.tech/unixfs/ (sections in brackets).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import { type CID, DAG_PB, decodeCid } from '../../src/store/cid.ts'
import { list, lookup } from '../../src/store/unixfs/directory.ts'
import { decodeNode } from '../../src/store/unixfs/node.ts'
import { readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { stat } from '../../src/store/unixfs/stat.ts'
import { storedSeconds } from '../../src/store/unixfs/times.ts'
import { concat, Dag, field, hashBits, identityCid, pbNode, unixfs } from '../fixtures/dag.ts'

const dag = new Dag()
const leaf = dag.raw('leaf')
const part = { cid: leaf, size: 4 }
const slotOf = (name: string, width: number) => Number.parseInt(hashBits(name).slice(0, width), 2)

/** All that one can do with a node: the bytes of a file, the names of a directory, the target of a symlink. */
function read(cid: CID): string | string[] {
  const { type, target } = stat(dag, cid)
  if (type === 'file') return Buffer.from(readFile(dag, cid)).toString()
  if (target !== undefined) return target
  const names = [...list(dag, cid)].map(({ name }) => name)
  for (const name of names) assert.notEqual(lookup(dag, cid, name), undefined, name)
  return names
}

type Rule = [rule: string, cid: CID, gives: string | string[] | { code: ErrorCode }]

const BAD = { code: 'BAD_NODE' } as const
const NOT_UNIXFS = { code: 'NOT_UNIXFS' } as const

const nested = (fanout: number, below: number) => {
  const name = 'inner'
  const width = Math.log2(fanout)
  const slot = Number.parseInt(hashBits(name).slice(width, width + Math.log2(below)), 2)
  const shard = dag.shard(below, [{ slot, cid: leaf, name }])
  return dag.shard(fanout, [{ slot: slotOf(name, width), cid: shard }])
}

const rules: Rule[] = [
  ['[raw] the block is the file data', leaf, 'leaf'],
  ['[raw] a block of no bytes is an empty file', dag.raw(''), ''],
  ['[dag-pb] Type must be present', dag.node({ data: 'x', filesize: 1 }), BAD],
  ['[dag-pb] Type is one of six', dag.node({ type: 6 }), BAD],
  ['[dag-pb] Raw (0) may be read', dag.node({ type: 0, data: 'old', filesize: 3 }), 'old'],
  ['[dag-pb] Metadata (3) is reserved', dag.node({ type: 3 }), NOT_UNIXFS],
  ['[dag-pb] Data must be a UnixFS message', dag.put(pbNode(Buffer.from([0xff]), []), DAG_PB), BAD],
  [
    '[dag-pb] a node without Data may be met, and is no UnixFS',
    dag.put(pbNode(undefined, []), DAG_PB),
    NOT_UNIXFS,
  ],

  ['[File] its own data comes before its parts', dag.file([part], { data: 'own ', filesize: 8 }), 'own leaf'],
  ['[File] a child may be a raw block', dag.file([part]), 'leaf'],
  ['[File] a child may be a File', dag.file([{ cid: dag.leaf('pb'), size: 2 }, part]), 'pbleaf'],
  [
    '[File] a child may be a Raw',
    dag.file([{ cid: dag.node({ type: 0, data: 'r', filesize: 1 }), size: 1 }]),
    'r',
  ],
  [
    '[File] a child may have children',
    dag.file([{ cid: dag.file([part, part]), size: 8 }, part]),
    'leafleafleaf',
  ],
  ['[File] a child that is a Directory', dag.file([{ cid: dag.directory({ a: leaf }), size: 4 }]), BAD],
  [
    '[File] a child of no bytes that is a Directory',
    dag.file([{ cid: dag.directory({}), size: 0 }, part]),
    BAD,
  ],
  ['[File] … behind all that has bytes', dag.file([part, { cid: dag.directory({}), size: 0 }]), BAD],
  ['[File] … in a file of no bytes', dag.file([{ cid: dag.directory({}), size: 0 }]), BAD],
  [
    '[File] … below another part',
    dag.file([{ cid: dag.file([part, { cid: dag.symlink('x'), size: 0 }]), size: 4 }]),
    BAD,
  ],
  ['[File] a child that is a Symlink', dag.file([{ cid: dag.symlink('leaf'), size: 4 }]), BAD],
  ['[File] a child that is a HAMTShard', dag.file([{ cid: dag.hamt([], 16), size: 0 }, part]), BAD],
  ['[File] a part of no bytes may be there', dag.file([{ cid: dag.raw(''), size: 0 }, part]), 'leaf'],
  ['[blocksizes] fewer than links', dag.file([part, part], { blocksizes: [8] }), BAD],
  ['[blocksizes] more than links', dag.file([part], { blocksizes: [2, 2] }), BAD],
  ['[blocksizes] one that its child does not have', dag.file([{ cid: leaf, size: 3 }]), BAD],
  ['[blocksizes] 0 for a child that has bytes', dag.file([{ cid: leaf, size: 0 }, part]), BAD],
  [
    '[Links.Name] of a chunk, not empty',
    dag.node({ type: 2, filesize: 4, blocksizes: [4] }, [{ cid: leaf, name: 'x' }]),
    BAD,
  ],
  [
    '[Links.Name] of another chunk than the first',
    dag.node({ type: 2, filesize: 8, blocksizes: [4, 4] }, [{ cid: leaf }, { cid: leaf, name: 'x' }]),
    BAD,
  ],
  [
    '[Links.Name] of a chunk, empty, is as none',
    dag.node({ type: 2, filesize: 4, blocksizes: [4] }, [{ cid: leaf, name: '' }]),
    'leaf',
  ],
  [
    '[Links.Name] of a chunk, absent',
    dag.put(
      concat([field(2, field(1, leaf.bytes)), field(1, unixfs({ type: 2, filesize: 4, blocksizes: [4] }))]),
      DAG_PB,
    ),
    'leaf',
  ],
  ['[filesize] absent is 0', dag.node({ type: 2 }), ''],
  ['[filesize] absent with bytes', dag.node({ type: 2, data: 'x' }), BAD],
  ['[filesize] absent with parts', dag.file([part], { filesize: undefined }), BAD],
  ['[filesize] too large', dag.file([part], { filesize: 5 }), BAD],
  ['[filesize] too small', dag.leaf('abc', { filesize: 2 }), BAD],

  ['[Directory] every link is an entry', dag.directory({ b: leaf, a: leaf }), ['b', 'a']],
  [
    '[Directory] any order is accepted, and kept',
    dag.directory({ z: leaf, a: leaf, m: leaf }),
    ['z', 'a', 'm'],
  ],
  [
    '[Directory] of equal names the first counts',
    dag.directory([
      { name: 'a', cid: leaf },
      { name: 'a', cid: dag.raw('second') },
      { name: 'b', cid: leaf },
    ]),
    ['a', 'b'],
  ],
  ['[Directory] Tsize may be wrong', dag.directory([{ name: 'a', cid: leaf, tsize: 1e9 }]), ['a']],
  [
    '[Restricted names] nothing leads to them',
    dag.directory(['.', '..', '', 'a\0b', 'a/b', 'good'].map((name) => ({ name, cid: leaf }))),
    ['good'],
  ],
  [
    '[Directory] names that look alike are two',
    dag.directory({ '\u00e9': leaf, 'e\u0301': leaf }),
    ['\u00e9', 'e\u0301'],
  ],

  ['[HAMT] an honest one', dag.hamt([{ name: 'x', cid: leaf }], 256), ['x']],
  [
    '[HAMT] another hash function',
    dag.shard(256, [{ slot: slotOf('x', 8), cid: leaf, name: 'x' }], { hashType: 0x12 }),
    BAD,
  ],
  [
    '[HAMT] no hash function',
    dag.shard(256, [{ slot: slotOf('x', 8), cid: leaf, name: 'x' }], { hashType: undefined }),
    BAD,
  ],
  ['[HAMT] fanout is required', dag.shard(256, [], { fanout: undefined }), BAD],
  ['[HAMT] fanout is a power of two', dag.shard(24, [], { fanout: 24 }), BAD],
  ['[HAMT] fanout is a multiple of 8', dag.shard(4, [], { fanout: 4 }), BAD],
  ['[HAMT] fanout is at most 1024', dag.shard(2048, [], { fanout: 2048 }), BAD],
  ['[HAMT] fanout 1024', dag.hamt([{ name: 'x', cid: leaf }], 1024), ['x']],
  ['[HAMT] one fanout throughout', nested(256, 256), ['inner']],
  ['[HAMT] another fanout below', nested(256, 16), BAD],
  [
    '[HAMT] a name in another bucket',
    dag.shard(256, [{ slot: slotOf('x', 8) ^ 1, cid: leaf, name: 'x' }]),
    BAD,
  ],
  ['[HAMT] a bucket without its bit', dag.shard(256, [{ slot: 1, cid: leaf, name: 'x' }], { data: '' }), BAD],
  [
    '[HAMT] lower-case digits',
    dag.node({ type: 5, data: Uint8Array.of(4, 0), hashType: 0x22, fanout: 16 }, [{ cid: leaf, name: 'ax' }]),
    BAD,
  ],

  ['[Symlink] a target', dag.symlink('../a'), '../a'],
  ['[Symlink] no children', dag.node({ type: 4, data: 'x' }, [{ cid: leaf }]), BAD],

  ['[mode] 20 bits are reserved, and masked', dag.leaf('m', { mode: 0xfffff000 + 0o755 }), 'm'],
  [
    '[mtime] seconds are required',
    dag.put(pbNode(concat([unixfs({ type: 2 }), field(8, '')]), []), DAG_PB),
    BAD,
  ],
  ['[mtime] nanoseconds of 1', dag.leaf('n', { mtime: { seconds: 1, nanoseconds: 1 } }), 'n'],
  [
    '[mtime] nanoseconds of 0 are left out, not written',
    dag.leaf('n', { mtime: { seconds: 1, nanoseconds: 0 } }),
    BAD,
  ],
  [
    '[mtime] nanoseconds of a second',
    dag.leaf('n', { mtime: { seconds: 1, nanoseconds: 1_000_000_000 } }),
    BAD,
  ],
  ['[mtime] seconds are 64 bits, signed', dag.leaf('s', { mtime: { seconds: -(2n ** 63n) } }), 's'],

  ['[Identity] up to 128 bytes', identityCid(Buffer.alloc(128, 'i')), 'i'.repeat(128)],
]

for (const [rule, cid, gives] of rules) {
  test(rule, () => {
    if (typeof gives === 'object' && 'code' in gives) assert.throws(() => read(cid), gives)
    else assert.deepEqual(read(cid), gives)
  })
}

test('[Identity] beyond 128 bytes is refused', () => {
  assert.throws(() => decodeCid(identityCid(Buffer.alloc(129)).bytes))
})

test('[mode] of the reserved bits none is shown', () => {
  assert.equal(stat(dag, dag.leaf('m', { mode: 0xfffff000 + 0o7755 })).mode & ~0o777, 0)
})

test('[mtime] what is absent shows as 1970, what is there in full', () => {
  assert.deepEqual(stat(dag, dag.leaf('t')).mtime, { seconds: 0, nanoseconds: 0 })
  const seconds = -(2n ** 63n)
  assert.equal(storedSeconds(stat(dag, dag.leaf('s', { mtime: { seconds } })).mtime), seconds)
})

test('[Paths] a file ends a path; none leads beyond its root', () => {
  const root = dag.directory({ file: leaf, up: dag.symlink('../x'), d: dag.directory({ here: leaf }) })
  assert.throws(() => resolvePath(dag, root, 'file/below'), { code: 'NOT_DIRECTORY' })
  for (const path of ['..', '../x', 'd/../../x']) assert.throws(() => resolvePath(dag, root, path), path)
  assert.throws(() => resolvePath(dag, root, 'up', { followLinks: true }), { code: 'NOT_FOUND' })
  assert.throws(() => resolvePath(dag, root, 'D/here'), { code: 'NOT_FOUND' })
  assert.ok(resolvePath(dag, root, 'd/here').cid.equals(leaf))
})

test('[blocks] size and structure of a file are told by its root block alone', () => {
  const alone = new Dag()
  const cid = alone.file([{ cid: leaf, size: 4 }])
  const node = decodeNode(cid, alone.get(cid))
  assert.ok(node.type === 'file' && node.size === 4 && node.partAt(0).cid.equals(leaf))
})
