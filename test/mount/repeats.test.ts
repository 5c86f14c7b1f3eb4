// Files made of few distinct blocks: what is freed by its CID at one place of a file must not
// be missing at another, of the same file or of one that is read beside it. Seeded.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, linkSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { chunks } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { Dag } from '../fixtures/dag.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { type MountedStore, mountedStore, NO_MOUNT } from './mounted.ts'

const SEED = 20_261_128
const MIB = 1024 * 1024
const KIB = 1024

/** Deterministic bytes that do not repeat within a block. */
function noise(seed: number): Buffer {
  const bytes = Buffer.alloc(MIB)
  for (let at = 0, state = seed; at < MIB; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes.writeUInt32LE(state, at)
  }
  return bytes
}

const BLOCKS = [Buffer.alloc(MIB), noise(1), noise(2)]

/** Each name of a file is an inode of its own, which the kernel has not cached. */
const NAMES = ['cat', 'wide', 'narrow', 'back', 'random', 'two', 'many', 'mapped', 'tail', 'again']

async function addUnderNames(mounted: MountedStore, directory: string, content: Buffer): Promise<CID> {
  mkdirSync(directory)
  const [first = '', ...others] = NAMES.map((name) => join(directory, name))
  writeFileSync(first, content)
  for (const other of others) linkSync(first, other)
  const { cid } = await withAdd(mounted.store, async (session) => {
    const imported = await importTree(session, directory)
    await session.commit([imported.cid])
    return imported
  })
  return cid
}

function readAt(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, readSync(fd, buffer, 0, length, offset))
}

/** Reads these stretches in this order, and compares each. */
function readStretches(path: string, content: Buffer, stretches: Iterable<[offset: number, length: number]>) {
  const fd = openSync(path, 'r')
  try {
    for (const [offset, length] of stretches) {
      const expected = content.subarray(offset, offset + length)
      assert.ok(readAt(fd, offset, length).equals(expected), `${path}: ${length} bytes at ${offset}`)
    }
  } finally {
    closeSync(fd)
  }
}

function stretches(size: number, width: number): [number, number][] {
  return Array.from({ length: Math.ceil(size / width) }, (_, index) => [index * width, width])
}

/** Many readers at once, each from its own place to the end and then from the beginning. */
async function readAtOnce(path: string, content: Buffer, readers: number): Promise<void> {
  const width = 128 * KIB
  const all = stretches(content.length, width)
  const read = async (from: number) => {
    const file = await open(path)
    try {
      for (const [offset, length] of [...all.slice(from), ...all.slice(0, from)]) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
        const expected = content.subarray(offset, offset + length)
        assert.ok(buffer.subarray(0, bytesRead).equals(expected), `${path} at ${offset}, ${readers} readers`)
      }
    } finally {
      await file.close()
    }
  }
  const starts = Array.from({ length: readers }, (_, at) => Math.floor((at * all.length) / readers))
  await Promise.all(starts.map(read))
}

async function checkAllWays(
  mounted: MountedStore,
  root: CID,
  content: Buffer,
  shuffled: [number, number][],
): Promise<void> {
  const path = (name: string) => mounted.path(root, name)
  execFileSync('cmp', [path('cat'), '-'], { input: content })
  readStretches(path('wide'), content, stretches(content.length, 3 * MIB))
  readStretches(path('narrow'), content, stretches(content.length, 60 * KIB))
  readStretches(path('back'), content, stretches(content.length, 512 * KIB).reverse())
  readStretches(path('random'), content, shuffled)
  readStretches(path('tail'), content, stretches(content.length, MIB).slice(-3))
  await readAtOnce(path('two'), content, 2)
  await readAtOnce(path('many'), content, 7)
  // git maps what it hashes.
  const { stdout } = await promisify(execFile)('git', ['hash-object', '--no-filters', path('mapped')])
  const expected = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
  assert.equal(stdout.trim(), expected)
  await Promise.all([
    readAtOnce(path('again'), content, 3),
    promisify(execFile)('cat', [path('again')], { encoding: 'buffer', maxBuffer: 64 * MIB }).then((read) =>
      assert.ok(read.stdout.equals(content), 'cat beside others'),
    ),
  ])
  const { cid } = resolvePath(mounted.store.blocks, root, 'cat')
  assert.ok(Buffer.concat([...chunks(mounted.store.blocks, cid)]).equals(content), 'without a mount')
}

const runs: [name: string, content: Buffer][] = [
  ['zeros', Buffer.alloc(12 * MIB)],
  ['one random block', Buffer.concat(Array.from({ length: 10 }, () => noise(3)))],
  ['a hole in random data', Buffer.concat([noise(4), noise(5), Buffer.alloc(9 * MIB), noise(6), noise(4)])],
  ['a period of two blocks', Buffer.concat(Array.from({ length: 16 }, (_, at) => noise(7 + (at % 2))))],
]

for (const [name, content] of runs) {
  test(`${name}: equal in every way to read`, { skip: NO_MOUNT }, async (t) => {
    const mounted = await mountedStore(t)
    const root = await addUnderNames(mounted, join(await temporaryDirectory(t), 'tree'), content)
    await checkAllWays(mounted, root, content, stretches(content.length, 200 * KIB).reverse())
  })
}

const picks = fc.array(fc.tuple(fc.nat(BLOCKS.length - 1), fc.integer({ min: 1, max: 7 })), {
  minLength: 1,
  maxLength: 4,
})

for (const cacheBytes of [2 * MIB, 16 * MIB, 256 * MIB]) {
  const title = `random files of few blocks, ${cacheBytes / MIB} MiB of cache: equal in every way to read`
  test(title, { skip: NO_MOUNT }, async (t) => {
    const mounted = await mountedStore(t, { 'mount.cacheBytes': cacheBytes })
    const directory = await temporaryDirectory(t)
    let run = 0
    const property = fc.asyncProperty(
      picks,
      fc.nat(MIB),
      fc.array(fc.tuple(fc.nat(28 * MIB), fc.integer({ min: 1, max: 2 * MIB })), { maxLength: 30 }),
      async (parts, tail, shuffled) => {
        const whole = parts.flatMap(([block, count]) =>
          Array.from({ length: count }, () => BLOCKS[block] as Buffer),
        )
        const content = Buffer.concat([...whole, noise(9).subarray(0, tail)])
        const root = await addUnderNames(mounted, join(directory, `tree${run++}`), content)
        await checkAllWays(mounted, root, content, shuffled)
      },
    )
    await fc.assert(property, { seed: SEED, numRuns: 6 })
  })
}

test('a node whose bytes are also a leaf of another file stays whole when that leaf is let go', {
  skip: NO_MOUNT,
}, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const [inline, tail] = [noise(20).subarray(0, 400 * KIB), noise(21)]
  const content = Buffer.concat([inline, tail])
  const links = [{ cid: dag.raw(tail) }]
  const node = dag.node({ type: 2, data: inline, filesize: content.length, blocksizes: [tail.length] }, links)
  const bytes = dag.get(node)
  const leaves = Array.from({ length: 8 }, (_, at) => noise(30 + at))
  const other = Buffer.concat([bytes, ...leaves])
  const parts = [bytes, ...leaves].map((leaf) => ({ cid: dag.raw(leaf), size: leaf.length }))
  const root = dag.directory({ node, again: node, other: dag.file(parts) })
  await mounted.put(dag)
  const path = (name: string) => mounted.path(root, name)
  readStretches(path('node'), content, [[0, 4 * KIB]])
  readStretches(path('other'), other, stretches(other.length, 128 * KIB))
  readStretches(path('node'), content, stretches(content.length, 128 * KIB).reverse())
  readStretches(path('again'), content, stretches(content.length, 128 * KIB))
})
