// Files made of few distinct blocks, so that one block lies at many places of many files: they are read,
// damaged, repaired, added and collected at once. In rounds: some of their blocks are damaged while
// readers read (right, or an error); all is healed; then every read has to be right, on paths that the
// kernel does not know yet, while others are still added, let go and collected.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode, isErrno } from '../../src/errors.ts'
import { addPin, removePin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import type { CID } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { Store } from '../../src/store/store.ts'
import { verifyStore } from '../../src/store/verify/verify.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { type MountedStore, mountedStore } from '../mount/mounted.ts'
import { checkPrefix } from './checker.ts'
import { pickerOf, randomOf } from './random.ts'

const MIB = 1024 * 1024
/** Less than the files, more than a block. */
const CACHE_BYTES = 6 * MIB
const FILES = 5
const READERS = 4
/** Of one file by one reader: some read a few bytes at a time. */
const MOST_READS = 200

export type RepeatsOptions = { rounds: number; seed: number }
export type RepeatsFigures = {
  rounds: number
  /** reads of whole files: right ones, and those that ended with an error while blocks were damaged */
  right: number
  failed: number
  damaged: number
  added: number
  collections: number
  deletedBlocks: number
}

type File = { name: string; content: Buffer; cid: CID; size: number }

type Storm = {
  mounted: MountedStore
  directory: string
  palette: Buffer[]
  files: File[]
  random: () => number
  figures: RepeatsFigures
  signal: AbortSignal
}

/** Throws an assertion at the first read that is wrong, or fails where nothing is damaged. */
export async function repeatsStorm(
  t: TestContext,
  { rounds, seed }: RepeatsOptions,
): Promise<RepeatsFigures> {
  const ending = new AbortController()
  const storm = await prepare(t, seed, ending.signal)
  const beside = [churn(storm), collectAll(storm)]
  try {
    for (let round = 0; round < rounds; round++) await oneRound(storm, round)
  } finally {
    ending.abort()
    await Promise.all(beside)
  }
  assert.deepEqual(checkPrefix(storm.mounted.store.paths.root), [])
  return { ...storm.figures, rounds }
}

async function prepare(t: TestContext, seed: number, signal: AbortSignal): Promise<Storm> {
  const mounted = await mountedStore(t, { 'mount.cacheBytes': CACHE_BYTES })
  const directory = await temporaryDirectory(t)
  const random = randomOf(seed)
  const noise = () => Buffer.from(Array.from({ length: MIB }, () => Math.floor(random() * 256)))
  const palette = [Buffer.alloc(MIB), noise(), noise()]
  const figures = { rounds: 0, right: 0, failed: 0, damaged: 0, added: 0, collections: 0, deletedBlocks: 0 }
  const storm: Storm = { mounted, directory, palette, files: [], random, figures, signal }
  for (let index = 0; index < FILES; index++) storm.files.push(await addFile(storm, `file${index}`))
  return storm
}

/** Runs of the palette's blocks, and an end of its own. */
function contentOf({ palette, random }: Storm): Buffer {
  const pick = pickerOf(random)
  const parts: Buffer[] = []
  while (parts.length < 6) {
    const block = pick(palette)
    for (let run = 1 + Math.floor(random() * 6); run > 0; run--) parts.push(block)
  }
  return Buffer.concat([...parts, Buffer.from(`the end ${random()}`)])
}

async function addFile(storm: Storm, name: string): Promise<File> {
  const { store } = storm.mounted
  const content = contentOf(storm)
  const path = join(storm.directory, name)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'file'), content)
  return await withAdd(store, async (add) => {
    const { cid, size } = await importTree(add, join(path, 'file'))
    await addPin(store, { prog: name, cid })
    return { name, content, cid, size }
  })
}

async function oneRound(storm: Storm, round: number): Promise<void> {
  const { mounted, palette, files, random, figures } = storm
  const bad = [...new Set([pickerOf(random)(palette), pickerOf(random)(palette)])]
  const during = readAll(storm, `${round} damaged`, { mayFail: true })
  for (const block of bad) damage(mounted.store.blocks.file(rawCid(block)), random)
  figures.damaged += bad.length
  await during
  const from = files.map(({ name }) => join(storm.directory, name))
  const roots = files.map(({ cid }) => cid)
  for (let tries = 0; ; tries++) {
    const { incompleteRoots, corrupt } = await verifyStore(mounted.store, { roots, from })
    if (incompleteRoots.length === 0 && corrupt.length === 0) break
    assert.ok(tries < 3, 'healed at last')
  }
  await readAll(storm, `${round} healed`, { mayFail: false })
}

/** Some bits of a block's file; somebody may have put it away already. */
function damage(file: string, random: () => number): void {
  try {
    const bytes = readFileSync(file)
    bytes[Math.floor(random() * bytes.length)]! ^= 0x10
    chmodSync(file, 0o644)
    writeFileSync(file, bytes)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/** Each file by several readers at once, under a path of this name that the kernel has not seen. */
async function readAll(storm: Storm, path: string, { mayFail }: { mayFail: boolean }): Promise<void> {
  const { mounted, files } = storm
  const { store } = mounted
  const within = await withAdd(store, async (add) => {
    const grafts = files.map(({ name, cid, size }) => ({ path: name, cid, size }))
    const { cid } = await buildTree(add, [...grafts, { path: 'round', content: Buffer.from(path) }])
    await addPin(store, { prog: 'within', cid })
    return cid
  })
  await Promise.all(
    files.flatMap((file) =>
      Array.from({ length: READERS }, () =>
        readOne(storm, { file, path: mounted.path(within, file.name), mayFail }),
      ),
    ),
  )
  await removePin(store, { prog: 'within', cid: within })
}

type Reading = { file: File; path: string; mayFail: boolean }

/** In order from some place on, or here and there, in some width. */
async function readOne({ random, figures }: Storm, { file, path, mayFail }: Reading): Promise<void> {
  const { content } = file
  const width = 1 + Math.floor(random() * 3 * MIB)
  const inOrder = random() < 0.7
  const handle = await open(path)
  try {
    let at = Math.floor(random() * 2) * 5 * MIB
    for (let reads = 0; at < content.length && reads < MOST_READS; reads++, at += width) {
      const offset = inOrder ? at : Math.floor(random() * content.length)
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(width), 0, width, offset)
      const expected = content.subarray(offset, offset + width)
      // An error in the middle of what was asked for gives what came before it.
      const isWhole = bytesRead === expected.length || mayFail
      assert.ok(
        isWhole && buffer.subarray(0, bytesRead).equals(expected.subarray(0, bytesRead)),
        `${path} at ${offset}`,
      )
    }
    figures.right += 1
  } catch (error) {
    if (!mayFail || !isErrno(error, 'EIO')) throw error
    figures.failed += 1
  } finally {
    await handle.close()
  }
}

/** Others of the same blocks come and go. */
async function churn(storm: Storm): Promise<void> {
  while (!storm.signal.aborted) {
    try {
      await addFile(storm, 'guest')
      storm.figures.added += 1
    } catch (error) {
      // What it relies on was damaged meanwhile.
      if (!hasCode(error, 'CORRUPT_BLOCK', 'MISSING_BLOCK', 'INCOMPLETE')) throw error
    }
    await removePin(storm.mounted.store, { prog: 'guest' }).catch((error) => {
      if (!hasCode(error, 'NOT_FOUND')) throw error
    })
  }
}

async function collectAll({ mounted, figures, signal }: Storm): Promise<void> {
  const store = Store.open(mounted.store.paths.root)
  try {
    while (!signal.aborted) {
      const { blocks } = await runCollection(store, {}, { graceMs: 0 })
      figures.collections += 1
      figures.deletedBlocks += blocks
    }
  } finally {
    store.close()
  }
}
