// Whatever tree is imported, the mount shows that tree (seeded: a failure prints
// what to run again), and reads at any place of a large file give its bytes.

import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { type MountedStore, mountedStore, NO_MOUNT } from './mounted.ts'

const skip = NO_MOUNT
const SEED = 20_261_121

type Tree =
  | { kind: 'file'; content: Uint8Array; executable: boolean }
  | { kind: 'link'; target: string }
  | Directory
type Directory = { kind: 'directory'; entries: Map<string, Tree> }

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..' && Buffer.byteLength(text) < 200)
  .filter((text) => text.isWellFormed())

const { tree } = fc.letrec<{ tree: Directory; entry: Tree }>((tie) => ({
  tree: fc
    .array(fc.tuple(name, tie('entry')), { maxLength: 12 })
    .map((entries): Directory => ({ kind: 'directory', entries: new Map(entries) })),
  entry: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('file' as const),
      content: fc.uint8Array({ maxLength: 3000, size: 'max' }),
      executable: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('link' as const), target: name }),
    tie('tree'),
  ),
}))

function write(path: string, node: Tree): void {
  if (node.kind === 'file') {
    writeFileSync(path, node.content)
    chmodSync(path, node.executable ? 0o755 : 0o644)
  } else if (node.kind === 'link') symlinkSync(node.target, path)
  else {
    mkdirSync(path)
    for (const [entry, child] of node.entries) write(join(path, entry), child)
  }
}

function check(path: string, node: Tree): void {
  const stat = lstatSync(path)
  if (node.kind === 'file') {
    assert.equal(stat.mode, 0o100000 | (node.executable ? 0o555 : 0o444))
    assert.equal(stat.size, node.content.length)
    assert.deepEqual(new Uint8Array(readFileSync(path)), node.content)
  } else if (node.kind === 'link') assert.equal(readlinkSync(path), node.target)
  else {
    assert.deepEqual(readdirSync(path).sort(), [...node.entries.keys()].sort())
    for (const [entry, child] of node.entries) check(join(path, entry), child)
  }
}

async function add(mounted: MountedStore, path: string): Promise<CID> {
  const { cid } = await withAdd(mounted.store, async (session) => {
    const imported = await importTree(session, path)
    await session.commit([imported.cid])
    return imported
  })
  return cid
}

async function parts(t: TestContext): Promise<{ mounted: MountedStore; directory: string }> {
  return {
    mounted: await mountedStore(t, { 'mount.cacheBytes': 4 * 1024 * 1024 }),
    directory: await temporaryDirectory(t),
  }
}

test('random trees read through the mount equal their source', { skip }, async (t) => {
  const { mounted, directory } = await parts(t)
  let run = 0
  const property = fc.asyncProperty(tree, async (node) => {
    const path = join(directory, `tree${run++}`)
    write(path, node)
    check(mounted.path(await add(mounted, path)), node)
  })
  await fc.assert(property, { seed: SEED, numRuns: 15 })
})

test('random reads of a file larger than the cache equal the file', { skip }, async (t) => {
  const { mounted, directory } = await parts(t)
  const content = Buffer.alloc(24 * 1024 * 1024 + 12_345)
  for (let at = 0; at + 4 <= content.length; at += 4)
    content.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
  writeFileSync(join(directory, 'file'), content)
  const path = mounted.path(await add(mounted, join(directory, 'file')))
  const fd = openSync(path, 'r')
  t.after(() => closeSync(fd))
  const property = fc.property(
    fc.nat(content.length),
    fc.integer({ min: 1, max: 3_000_000 }),
    (offset, length) => {
      const buffer = Buffer.alloc(length)
      const count = readSync(fd, buffer, 0, length, offset)
      assert.ok(buffer.subarray(0, count).equals(content.subarray(offset, offset + length)))
    },
  )
  fc.assert(property, { seed: SEED, numRuns: 30 })
  assert.ok(readFileSync(path).equals(content))
  const { cache } = await mounted.status()
  assert.ok((cache.bytes as number) <= 4 * 1024 * 1024 + 2 * 1024 * 1024)
})
