// Whole DAGs, built by a little program in the input, with lies where it says so;
// then read in every way there is. Readers have to agree with each other.

import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { PkgError } from '../../../src/errors.ts'
import { BlockCache } from '../../../src/mount/block-cache.ts'
import { StoreFileSystem } from '../../../src/mount/handlers.ts'
import { prefixPaths } from '../../../src/paths.ts'
import { CID, DAG_CBOR, DAG_PB } from '../../../src/store/cid.ts'
import { closure } from '../../../src/store/links/closure.ts'
import { linksOf } from '../../../src/store/links/links.ts'
import { copyTree } from '../../../src/store/unixfs/copy.ts'
import { list, lookup } from '../../../src/store/unixfs/directory.ts'
import { measureTree } from '../../../src/store/unixfs/measure.ts'
import { chunks, FileReader, readFile } from '../../../src/store/unixfs/read.ts'
import { resolvePath } from '../../../src/store/unixfs/resolve.ts'
import { stat } from '../../../src/store/unixfs/stat.ts'
import { Dag, identityCid, type LinkFields, type Slot } from '../../fixtures/dag.ts'
import { scratchDirectory } from '../scratch.ts'
import { Choices, codeOfRefusal, refusing, type Target } from '../target.ts'

const NAMES = [
  'a',
  'b',
  'c',
  '..',
  '.',
  '',
  'a/b',
  '\0',
  'x'.repeat(255),
  'x'.repeat(256),
  '\uFEFFa',
  '-rf',
  '\u001b[2J',
  '%',
  'bin',
  Uint8Array.of(0xff),
]
const TARGETS = ['a', '../..', '/etc/passwd', '..', '.', 'a/../b', 'x'.repeat(4095), '', '\0', '../a']
const SIZES = [-1, 1, 2 ** 20, 2 ** 31, 2 ** 53]

/** What is read of one file, and entries of one tree, at most: a DAG of ten blocks can hold petabytes. */
const MAX_READ = 64 * 1024
const MAX_ENTRIES = 300

const scratch = scratchDirectory()
const paths = prefixPaths(join(scratch, 'prefix'))
mkdirSync(paths.blocks, { recursive: true })

export const target: Target = {
  name: 'dag',
  seeds: [
    // leaf, file of two, directory, symlink, shard, shard of shards
    Buffer.from([0, 3, 1, 2, 3, 1, 2, 0, 0, 0, 2, 2, 0, 0, 1, 1, 0, 4, 0, 3, 2, 0, 0, 1, 1, 0]),
    Buffer.from([0, 5, 9, 9, 9, 9, 9, 3, 3, 0, 0, 1, 0, 2, 0, 0, 3, 1, 1, 0, 2, 2, 0, 1, 1, 2]),
    Buffer.from([0, 1, 7, 1, 3, 0, 0, 0, 0, 1, 3, 1, 1, 1, 0, 1, 2, 2, 2, 0, 2, 3, 0, 3, 1, 3, 2, 3]),
    Buffer.from([5, 4, 1, 2, 3, 4, 1, 1, 0, 0, 2, 1, 0, 0, 6, 0, 7, 1]),
  ],
  async run(input) {
    const dag = new Dag()
    const nodes = build(new Choices(input), dag)
    const root = nodes.at(-1)
    if (root === undefined) return undefined
    const outcomes = [size(dag, root), links(dag, root), await copy(dag, root), await mount(dag, root)]
    return outcomes.join(' ').slice(0, 80)
  },
  close: () => rmSync(scratch, { recursive: true, force: true }),
}

function build(from: Choices, dag: Dag): CID[] {
  const nodes: CID[] = []
  const lie = (size: number) => (from.byte() < 240 ? size : from.pick(SIZES))
  while (!from.done && nodes.length < 40) {
    const kind = from.below(8)
    const known = () => (nodes.length === 0 ? dag.raw('first') : (nodes[from.below(nodes.length)] as CID))
    const linked = (): LinkFields => ({ name: from.pick(NAMES), cid: known(), tsize: lie(4) })
    const many = <T>(make: () => T) => Array.from({ length: from.below(8) }, make)
    if (kind === 0) nodes.push(dag.raw(from.bytes(from.byte())))
    else if (kind === 1) {
      const parts = many(() => {
        const cid = known()
        const found = refusing(() => stat(dag, cid).size)
        return { cid, size: lie(typeof found === 'number' ? found : 1) }
      })
      nodes.push(dag.file(parts, from.byte() < 240 ? {} : { filesize: lie(3), data: from.bytes(3) }))
    } else if (kind === 2)
      nodes.push(
        dag.directory(many(linked), from.byte() < 200 ? {} : { mode: 0o7777, mtime: { seconds: lie(9) } }),
      )
    else if (kind === 3) nodes.push(dag.symlink(from.pick(TARGETS)))
    else if (kind === 4) {
      const entries = new Map(many(linked).map((entry) => [String(entry.name), entry]))
      const honest = [...entries.values()].filter(({ name }) => name !== '') as (LinkFields & {
        name: string
      })[]
      nodes.push(dag.hamt(honest, 8))
    } else if (kind === 5)
      nodes.push(identityCid(from.bytes(from.below(140)), from.pick([0x55, DAG_PB, DAG_CBOR])))
    else if (kind === 6) {
      const slots = many((): Slot => ({ slot: from.below(8), ...linked() }))
      nodes.push(
        dag.shard(
          8,
          slots.sort((a, b) => a.slot - b.slot),
          from.byte() < 200 ? {} : { fanout: lie(16) },
        ),
      )
    } else nodes.push(CID.createV1(from.pick([DAG_PB, DAG_CBOR, 0x0129, 0x55]), known().multihash))
  }
  return nodes
}

type Refused = { code: string }
const isRefused = (value: unknown): value is Refused =>
  typeof value === 'object' && value !== null && 'code' in value

/** How large the tree is; what is listed is found, and files have the size that they say. */
function size(dag: Dag, root: CID): string {
  const measured = refusing(() => measureTree(dag, root))
  const kind = refusing(() => stat(dag, root))
  if (isRefused(kind)) return kind.code
  if (kind.type === 'directory') {
    const entries = refusing(() => [...list(dag, root)])
    if (isRefused(entries)) return entries.code
    for (const { name, cid } of entries)
      assert.equal(String(refusing(() => lookup(dag, root, name))), String(cid))
    const names = entries.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length, 'a name is listed once')
    for (const name of names) assert.ok(!['', '.', '..'].includes(name) && !/[/\0]/.test(name))
    for (const path of ['a', 'a/b/c', 'b/a', '../a', 'x'.repeat(300)]) {
      refusing(() => resolvePath(dag, root, path, { followLinks: true }))
    }
  }
  if (kind.type === 'file') readAll(dag, root, kind.size)
  return isRefused(measured) ? `${kind.type} ${measured.code}` : kind.type
}

function readAll(dag: Dag, root: CID, size: number): void {
  if (size > MAX_READ) {
    refusing(() => new FileReader(dag, root).readInto(new Uint8Array(100), size - 50))
    refusing(() => new FileReader(dag, root).readInto(new Uint8Array(100), Math.floor(size / 2)))
    return
  }
  const whole = refusing(() => readFile(dag, root))
  const pieces = refusing(() => Buffer.concat([...chunks(dag, root)]))
  if (isRefused(whole)) {
    assert.ok(isRefused(pieces))
    return
  }
  assert.equal(whole.length, size)
  assert.deepEqual(pieces, Buffer.from(whole))
  const middle = new Uint8Array(7)
  const read = new FileReader(dag, root).readInto(middle, size >> 1)
  assert.deepEqual(
    Buffer.from(middle.subarray(0, read)),
    Buffer.from(whole.subarray(size >> 1, (size >> 1) + 7)),
  )
}

/** Every link is reached, each block once. */
function links(dag: Dag, root: CID): string {
  const store = { children: (cid: CID) => linksOf(cid, dag.get(cid)) }
  const reached = [...closure(store, [root], { onMissing: (_, error) => codeOfRefusal(error) })]
  const keys = reached.map((cid) => Buffer.from(cid.multihash.bytes).toString('hex'))
  assert.equal(new Set(keys).size, keys.length)
  assert.ok(reached.length <= dag.blocks.size + 1)
  return String(Math.min(reached.length, 6))
}

/** Real files have what was measured; nothing is written anywhere else. */
async function copy(dag: Dag, root: CID): Promise<string> {
  const expected = refusing(() => measureTree(dag, root))
  if (isRefused(expected)) return expected.code
  if (expected.entries > MAX_ENTRIES || expected.bytes > MAX_READ) return 'large'
  const place = join(scratch, 'copy')
  try {
    const figures = await copyTree(dag, root, place)
    const { files, directories, symlinks, bytes, leftOut } = figures
    const notUnixfs = leftOut.filter(({ why }) => !why.startsWith('its name'))
    assert.equal(files + directories + symlinks + notUnixfs.length, expected.entries)
    assert.equal(bytes, expected.bytes)
    compareTree(dag, root, place)
    return `copied ${Math.min(files, 3)} ${Math.min(directories, 3)} ${Math.min(symlinks, 3)}`
  } catch (error) {
    return codeOfRefusal(error)
  } finally {
    rmSync(place, { recursive: true, force: true })
    assert.deepEqual(readdirSync(scratch), ['prefix'])
  }
}

function compareTree(dag: Dag, cid: CID, place: string): void {
  const kind = stat(dag, cid)
  const stats = lstatSync(place)
  assert.equal(stats.mode & 0o7000, 0)
  if (kind.type === 'file') assert.deepEqual(readFileSync(place), Buffer.from(readFile(dag, cid)))
  else if (kind.type === 'symlink') assert.equal(readlinkSync(place), kind.target)
  else {
    assert.ok(stats.isDirectory())
    for (const { name, cid: child } of list(dag, cid)) {
      if (existsSync(`${place}/${name}`)) compareTree(dag, child, `${place}/${name}`)
    }
  }
}

/** The mount's answers: what the DAG says, or an errno. */
async function mount(dag: Dag, root: CID): Promise<string> {
  const source = {
    recycle() {},
    async blocks(cids: readonly CID[]) {
      return cids.map((cid) => {
        try {
          return Uint8Array.from(dag.get(cid))
        } catch (error) {
          return error as PkgError
        }
      })
    },
  }
  const sizes = {
    sizes: async (cids: readonly CID[]) =>
      Float64Array.from(
        cids,
        (cid) => dag.blocks.get(Buffer.from(cid.multihash.bytes).toString('latin1'))?.bytes.length ?? -1,
      ),
  }
  const fs = new StoreFileSystem({ paths, cache: new BlockCache(source, { bytes: 2 ** 22 }), sizes })
  const budget = { left: 60 }
  return await visit(fs, dag, { path: `/${root}`, cid: root, budget })
}

type Place = { path: string; cid: CID; budget: { left: number } }

async function visit(fs: StoreFileSystem, dag: Dag, { path, cid, budget }: Place): Promise<string> {
  if (budget.left-- <= 0) return 'much'
  const expected = refusing(() => stat(dag, cid))
  const found = await answer(() => fs.getattr(path))
  if (isRefused(expected) || isRefused(found)) {
    assert.ok(isRefused(expected) && isRefused(found), `${JSON.stringify(expected)} ${JSON.stringify(found)}`)
    return expected.code
  }
  assert.equal(found.size, expected.size)
  for (const name of ['ipfs.cid', 'user.x']) await answer(() => fs.getxattr(path, name))
  if (expected.type === 'symlink') assert.equal(await fs.readlink(path), expected.target)
  if (expected.type === 'file' && expected.size <= MAX_READ) {
    const buffer = new Uint8Array(expected.size + 10)
    const read = await answer(() => fs.read(path, buffer, 0))
    const whole = refusing(() => readFile(dag, cid))
    if (isRefused(whole)) assert.ok(isRefused(read))
    else {
      assert.equal(read, whole.length)
      assert.deepEqual(Buffer.from(buffer.subarray(0, whole.length)), Buffer.from(whole))
    }
  }
  if (expected.type !== 'directory') return expected.type
  const names = await answer(() => fs.readdir(path))
  const entries = refusing(() => [...list(dag, cid)])
  if (isRefused(entries) || isRefused(names)) {
    assert.ok(isRefused(entries) && isRefused(names))
    return entries.code
  }
  assert.deepEqual([...names].map(({ name }) => name).sort(), entries.map(({ name }) => name).sort())
  for (const { name, cid: child } of entries)
    await visit(fs, dag, { path: `${path}/${name}`, cid: child, budget })
  return `${entries.length}`
}

async function answer<T>(ask: () => T | Promise<T>): Promise<T | Refused> {
  try {
    return await ask()
  } catch (error) {
    return { code: codeOfRefusal(error) }
  }
}
