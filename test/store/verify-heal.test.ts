// Healing: what is lost comes back from a CAR, an imported directory, another
// prefix, and from nothing that lies.

import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { addPin, listPins, removePin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { exportCar } from '../../src/store/car/write.ts'
import type { CID } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { closure, hasAll } from '../../src/store/links/closure.ts'
import { Store } from '../../src/store/store.ts'
import { healStore } from '../../src/store/verify/heal.ts'
import { verifyStore } from '../../src/store/verify/verify.ts'
import { collect, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { checkPrefix } from '../stress/checker.ts'

async function pinnedTree(t: TestContext) {
  const directory = await temporaryDirectory(t)
  mkdirSync(join(directory, 'a/b'), { recursive: true })
  for (let n = 0; n < 20; n++) writeFileSync(join(directory, 'a/b', `f${n}`), `file ${n}`)
  writeFileSync(join(directory, 'large'), Buffer.alloc(3_000_000, 'many blocks '))
  writeFileSync(join(directory, 'run'), 'executable', { mode: 0o755 })
  const store = await temporaryStore(t)
  const root = await addPinned(store, directory)
  return { store, directory, root, all: [...closure(store, [root])] }
}

async function addPinned(store: Store, directory: string): Promise<CID> {
  return withAdd(store, async (add) => {
    const { cid } = await importTree(add, directory)
    await addPin(store, { prog: 'tree', cid })
    return cid
  })
}

type Pinned = Awaited<ReturnType<typeof pinnedTree>>

/** Where a whole copy is, by kind. */
const SOURCES: Record<string, (pinned: Pinned, t: TestContext) => Promise<string>> = {
  async car({ store, root }, t) {
    const file = join(await temporaryDirectory(t), 'tree.car')
    writeFileSync(file, await collect(exportCar(store, root)))
    return file
  },
  directory: async ({ directory }) => directory,
  async prefix({ directory }, t) {
    const other = await temporaryStore(t)
    await addPinned(other, directory)
    return other.paths.root
  },
}

for (const [kind, source] of Object.entries(SOURCES)) {
  test(`everything is lost, and comes back from a ${kind}`, async (t) => {
    const pinned = await pinnedTree(t)
    const { store, root, all } = pinned
    const from = await source(pinned, t)
    store.index.clear()
    for (const cid of all) rmSync(store.blocks.file(cid))
    const { blocks, sources } = await healStore(store, [root], { from: [from] })
    assert.deepEqual([blocks, sources[0]?.kind], [all.length, kind])
    assert.ok(hasAll(store, root))
    assert.deepEqual(checkPrefix(store.paths.root), [])
    const again = await healStore(store, [root], { from: [from] })
    assert.equal(again.blocks, 0)
  })
}

test('only what is missing is taken, whatever else the sources have', async (t) => {
  const { store, root, directory, all } = await pinnedTree(t)
  writeFileSync(join(directory, 'more'), 'that was never asked for')
  const [, lost] = all
  rmSync(store.blocks.file(lost!))
  await healStore(store, [root], { from: [directory] })
  assert.deepEqual(
    new Set(Array.from(store.blocks.list(), ({ cid }) => String(cid))).size,
    new Set(all.map((cid) => store.blocks.file(cid))).size,
  )
})

test('verify moves damage away and heals it; several sources share the work', async (t) => {
  const pinned = await pinnedTree(t)
  const { store, root, directory, all } = pinned
  const prefix = await SOURCES.prefix!(pinned, t)
  const half = join(await temporaryDirectory(t), 'half')
  mkdirSync(half)
  copyFileSync(join(directory, 'large'), join(half, 'large'))
  for (const cid of all) {
    const file = store.blocks.file(cid)
    chmodSync(file, 0o644)
    const bytes = readFileSync(file)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(file, bytes)
  }
  const verified = await verifyStore(store, { roots: [root], from: [half, prefix] })
  assert.equal(verified.corrupt.length, all.length)
  assert.deepEqual([verified.incompleteRoots, verified.quarantined], [[], []])
  const [first, second] = verified.healed!.sources
  assert.ok(first!.blocks > 0 && second!.blocks > 0)
  assert.deepEqual(readdirSync(store.paths.quarantine), [])
  assert.deepEqual(checkPrefix(store.paths.root), [])
})

test('a source that lies gives nothing wrong, and one that is not there is named', async (t) => {
  const pinned = await pinnedTree(t)
  const { store, root, all } = pinned
  const prefix = await SOURCES.prefix!(pinned, t)
  const other = new Store({ ...store.paths, blocks: join(prefix, 'blocks') })
  for (const cid of all) {
    rmSync(store.blocks.file(cid))
    rmSync(other.blocks.file(cid))
    writeFileSync(other.blocks.file(cid), 'lies')
  }
  const before = readdirSync(dirname(other.blocks.file(root)))
  const { blocks } = await healStore(store, [root], { from: [prefix] })
  assert.equal(blocks, 0)
  assert.deepEqual(readdirSync(dirname(other.blocks.file(root))), before, 'a source is only read')
  await assert.rejects(healStore(store, [root], { from: ['/nowhere'] }), { code: 'NOT_FOUND' })
})

test('a collector beside it takes nothing of what came back', async (t) => {
  const pinned = await pinnedTree(t)
  const { store, root, all } = pinned
  const from = await SOURCES.directory!(pinned, t)
  for (const cid of all.slice(1)) rmSync(store.blocks.file(cid))
  await Promise.all([healStore(store, [root], { from: [from] }), runCollection(store)])
  assert.deepEqual(checkPrefix(store.paths.root), [])
})

test('what somebody lets go of while blocks are read, and a collection takes, is no loss', async (t) => {
  const { store, root } = await pinnedTree(t)
  const pinned = async () => (await listPins(store)).map(({ cid }) => cid)
  let asked = 0
  const roots = async () => {
    const found = await pinned()
    if (++asked > 1) return found
    for (const pin of await listPins(store)) await removePin(store, pin)
    await runCollection(store)
    return found
  }
  assert.deepEqual((await verifyStore(store, { roots })).incompleteRoots, [])
  assert.equal(store.blocks.has(root), false)
})
