// Bits flip in block files, while programs read and repairs go on. In rounds: some
// flips; everything is read through the mount, on paths that the kernel does not
// know yet; what is damaged is found, named, healed from one source or another; and
// what could not be read is read again where it was. Beside that, readers read all
// the time, by the mount and by the library. A read is right, or an error.

import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { writeFileAtomic } from '../../src/files/atomic.ts'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { verifyBlock } from '../../src/store/blocks/hash.ts'
import { exportCar } from '../../src/store/car/write.ts'
import { type CID, sameBlock } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { closure } from '../../src/store/links/closure.ts'
import { Store } from '../../src/store/store.ts'
import { verifyStore } from '../../src/store/verify/verify.ts'
import { collect } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { type MountedStore, mountedStore } from '../mount/mounted.ts'
import { checkPrefix } from './checker.ts'
import { treeFiles, writeTree } from './content.ts'
import { pickerOf, randomOf } from './random.ts'
import { readableTree, startReader } from './readers.ts'

const TREES = 6
/** Less than all of the trees: blocks have to be read from the disk again. */
const CACHE_BYTES = 1024 * 1024

/** At least so many flips, so many in a round. */
export type BitRotOptions = { flips: number; inRound: number; seed: number }
export type BitRotFigures = {
  flips: number
  /** reads through the mount by the rounds themselves */
  right: number
  damaged: number
  healed: number
  /** what the readers beside saw */
  mount: Record<string, number>
  library: Record<string, number>
}

type Tree = { name: string; cid: CID; size: number; files: Map<string, Buffer> }

type Rot = {
  mounted: MountedStore
  directory: string
  trees: Tree[]
  blocks: CID[]
  random: () => number
  within: string
}

/** Throws an assertion at the first read that is wrong, or damage that is not healed. */
export async function bitRot(
  t: TestContext,
  { flips, inRound, seed }: BitRotOptions,
): Promise<BitRotFigures> {
  const rot = await prepare(t, seed)
  const { store } = rot.mounted
  const readers = (['mount', 'library'] as const).map((via) => {
    const trees = rot.trees.map(({ name, cid, files }) => readableTree(name, cid, files))
    const data = { prefix: store.paths.root, via, trees, seed, within: rot.within }
    const end = startReader(join(rot.directory, `${via}.json`), data)
    t.after(end)
    return end
  })
  const figures: BitRotFigures = { flips: 0, right: 0, damaged: 0, healed: 0, mount: {}, library: {} }
  for (let round = 0; figures.flips < flips; round++) await oneRound(rot, { round, flips: inRound, figures })
  const [mount, library] = await Promise.all(readers.map((end) => end()))
  assert.deepEqual([...mount!.wrong, ...library!.wrong], [])
  assert.deepEqual(checkPrefix(store.paths.root), [])
  return { ...figures, mount: mount!.outcomes, library: library!.outcomes }
}

async function prepare(t: TestContext, seed: number): Promise<Rot> {
  const mounted = await mountedStore(t, { 'mount.cacheBytes': CACHE_BYTES })
  const directory = await temporaryDirectory(t)
  const { store } = mounted
  const other = Store.open(join(directory, 'other'))
  const trees: Tree[] = []
  for (let index = 0; index < TREES; index++) {
    const name = `t${index}`
    const files = treeFiles(index)
    const path = writeTree(join(directory, name), files)
    for (const each of [store, other]) {
      await withAdd(each, async (add) => {
        const { cid, size } = await importTree(add, path)
        await addPin(each, { prog: name, cid })
        if (each === store) trees.push({ name, cid, size, files })
      })
    }
    writeFileSync(`${path}.car`, await collect(exportCar(store, trees[index]!.cid)))
  }
  other.close()
  const blocks = [
    ...closure(
      store,
      trees.map(({ cid }) => cid),
    ),
  ]
  const rot = { mounted, directory, trees, blocks, random: randomOf(seed), within: join(directory, 'within') }
  await renewPaths(rot, 'first')
  return rot
}

/** A directory that holds the trees under new paths: what the kernel knows of the old ones serves nobody. */
async function renewPaths({ mounted, trees, within }: Rot, name: string): Promise<CID> {
  return withAdd(mounted.store, async (add) => {
    const grafts = trees.map(({ name, cid, size }) => ({ path: name, cid, size }))
    const { cid } = await buildTree(add, [...grafts, { path: 'round', content: Buffer.from(name) }])
    writeFileAtomic(within, String(cid))
    return cid
  })
}

async function oneRound(
  rot: Rot,
  { round, flips, figures }: { round: number; flips: number; figures: BitRotFigures },
) {
  const { mounted, trees, random } = rot
  const { store } = mounted
  const within = await renewPaths(rot, `${round}`)
  const flipped = Array.from({ length: flips }, () => pickerOf(random)(rot.blocks))
  figures.flips += flipped.filter((cid) => flip(store.blocks.file(cid), random)).length

  const failed: { path: string; bytes: Buffer }[] = []
  for (const { name, files } of trees) {
    for (const [file, bytes] of files) {
      const path = mounted.path(within, name, file)
      const read = readOrError(path)
      if (read === 'EIO') failed.push({ path, bytes })
      else assert.ok(Buffer.isBuffer(read) && read.equals(bytes), `${path}: ${typeof read}`)
    }
  }
  figures.damaged += failed.length
  figures.right += trees.reduce((sum, { files }) => sum + files.size, 0) - failed.length

  const roots = trees.map(({ cid }) => cid)
  const found = await verifyStore(store, { roots })
  for (const cid of new Set(flipped)) assertFound(store, cid, found)
  for (const { cid, neededBy } of found.quarantined) assert.ok(neededBy.length > 0, `${cid} has no roots`)

  const from = sources(rot)
  const { healed, incompleteRoots, quarantined } = await verifyStore(store, { roots, from })
  assert.deepEqual([incompleteRoots, quarantined], [[], []], `healed from ${from[0]}`)
  figures.healed += healed?.blocks ?? 0
  for (const { path, bytes } of failed) assert.deepEqual(readFileSync(path), bytes, 'right from then on')
}

/** Where it was damaged it lies in the quarantine and no longer in its place, unless two flips made it right again. */
function assertFound(store: Store, cid: CID, { quarantined }: Awaited<ReturnType<typeof verifyStore>>): void {
  const file = store.blocks.file(cid)
  if (existsSync(file)) {
    verifyBlock(cid, readFileSync(file))
    return
  }
  assert.ok(
    quarantined.some((one) => sameBlock(one.cid, cid)),
    `${cid} is named`,
  )
}

function sources({ directory, trees, random }: Rot): string[] {
  const kind = pickerOf(random)(['car', 'directory', 'prefix'])
  if (kind === 'prefix') return [join(directory, 'other')]
  return trees.map(({ name }) => join(directory, kind === 'car' ? `${name}.car` : name))
}

/** One random bit; false where the file went meanwhile, since somebody found it damaged before. */
function flip(file: string, random: () => number): boolean {
  let fd: number
  try {
    chmodSync(file, 0o644)
    fd = openSync(file, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  try {
    const at = Math.floor(random() * fstatSync(fd).size)
    const byte = Buffer.alloc(1)
    readSync(fd, byte, 0, 1, at)
    byte[0]! ^= 1 << Math.floor(random() * 8)
    writeSync(fd, byte, 0, 1, at)
    return true
  } finally {
    closeSync(fd)
  }
}

function readOrError(path: string): Buffer | string | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}
