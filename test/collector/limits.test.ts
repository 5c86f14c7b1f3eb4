// A collection that shall not take everything, and what it says about why blocks are dead.

import assert from 'node:assert/strict'
import { lutimesSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import type { CollectionResult } from '../../src/collector/figures.ts'
import { hasCode } from '../../src/errors.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { STOP_POINTS } from '../../src/pins/stop-point.ts'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { closureSize } from '../../src/store/links/closure.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryStore } from '../helpers/store.ts'
import { addTree, current, generation, link, missing, pinTree, present, type Tree, tree } from './scenario.ts'

const figures = ({ blocks, bytes, diskBytes, keptBlocks, dead, stopped, left, young }: CollectionResult) => {
  return { blocks, bytes, diskBytes, keptBlocks, dead, stopped, left, young }
}

/** Makes files of a DAG look as if they had been written so long ago. */
function age(store: Store, { dag }: Tree, ms: number): void {
  const seconds = (Date.now() - ms) / 1000
  for (const { cid } of dag.blocks.values()) lutimesSync(store.blocks.file(cid), seconds, seconds)
}

test('no more goes than was asked for, and a dry run says the same; the next collection goes on', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  const dead = await addTree(store, 'dead', 50)
  const sizes = [...dead.dag.blocks.values()].map(({ cid }) => statSync(store.blocks.file(cid)).blocks * 512)
  const onDisk = sizes.reduce((sum, size) => sum + size, 0)
  const options = { maxFreedBytes: Math.floor(onDisk / 3) }
  const plan = await runCollection(store, {}, { ...options, dryRun: true })
  const done = await runCollection(store, {}, options)
  assert.deepEqual(figures(plan), figures(done))
  assert.equal(done.stopped, 'max-freed')
  // What counts is what the file system gets back: these blocks have some bytes in a unit of it each.
  assert.ok(done.diskBytes >= options.maxFreedBytes)
  assert.ok(done.diskBytes < options.maxFreedBytes + Math.max(...sizes))
  assert.ok(done.bytes < done.diskBytes)
  const left = { blocks: dead.blocks - done.blocks, bytes: dead.bytes - done.bytes }
  assert.deepEqual(done.left, { ...left, diskBytes: onDisk - done.diskBytes })
  assert.equal(done.keptBlocks, kept.blocks)
  assert.equal(present(store, dead), dead.blocks - done.blocks)
  const rest = await runCollection(store)
  assert.equal(rest.blocks + done.blocks, dead.blocks)
  assert.equal(rest.stopped, undefined)
  assert.deepEqual(missing(store, kept.root), [])
})

test('nothing goes where enough is free, or nothing may be freed: neither blocks nor generations', async (t) => {
  const store = await temporaryStore(t)
  const [old, now] = [await addTree(store, 'old'), await addTree(store, 'now')]
  generation(store, 1, old.root)
  generation(store, 2, now.root)
  current(store, 2)
  const dead = await addTree(store, 'dead')
  for (const [name, options] of [
    ['ensure-free', { ensureFreeBytes: 1 }],
    ['max-freed', { maxFreedBytes: 0 }],
  ] as const) {
    for (const dryRun of [true, false]) {
      const done = await runCollection(store, { keep: 1 }, { ...options, dryRun })
      assert.deepEqual([done.blocks, done.generations, done.stopped], [0, [], name])
      assert.deepEqual([done.keptBlocks, done.left?.blocks], [old.blocks + now.blocks, dead.blocks])
    }
  }
  assert.deepEqual([...missing(store, old.root), ...missing(store, dead.root)], [])
})

test('as much goes as it takes for so much to be free', async (t) => {
  const store = await temporaryStore(t)
  const dead = await addTree(store, 'dead', 50)
  const { bavail, bsize } = statfsSync(store.paths.blocks)
  // Out of reach by far: what others write or delete meanwhile makes no difference.
  const wanted = bavail * bsize * 2
  for (const dryRun of [true, false]) {
    const done = await runCollection(store, {}, { ensureFreeBytes: wanted, dryRun })
    assert.deepEqual([done.blocks, done.stopped, done.room?.wanted], [dead.blocks, undefined, wanted])
    assert.ok((done.room?.bytes ?? wanted) < wanted)
  }
})

test('limits that are none are refused', async (t) => {
  const store = await temporaryStore(t)
  for (const options of [{ maxFreedBytes: -1 }, { ensureFreeBytes: Number.NaN }]) {
    await assert.rejects(runCollection(store, {}, options), (error) => hasCode(error, 'USAGE'))
  }
})

test('what was written within the grace time stays, with all that it leads to', async (t) => {
  const store = await temporaryStore(t)
  const [fresh, stale] = [tree('fresh'), await addTree(store, 'stale')]
  // Found present, but for its root: half of it was written long ago.
  const all = [...fresh.dag.blocks.values()]
  await withAdd(store, (add) => add.put(all.slice(0, -1)))
  for (const one of [
    { ...fresh, dag: { ...fresh.dag, blocks: new Map(all.slice(0, -1).entries()) } },
    stale,
  ]) {
    age(store, one as unknown as Tree, 3_600_000)
  }
  await withAdd(store, async (add) => {
    await add.put(all)
    await add.commit()
  })
  store.children(fresh.root)
  for (const { cid } of all) store.children(cid)
  store.flush()
  const options = { graceMs: 60_000 }
  const plan = await runCollection(store, {}, { ...options, dryRun: true })
  const done = await runCollection(store, {}, options)
  assert.deepEqual(figures(plan), figures(done))
  assert.deepEqual([done.young, present(store, stale)], [fresh.blocks, 0])
  assert.deepEqual(missing(store, fresh.root), [])
  assert.equal((await runCollection(store)).blocks, fresh.blocks)
})

test('the grace time is a setting; times in the future are no reason to stay', async (t) => {
  const store = await temporaryStore(t)
  writeFileSync(store.paths.config, '{"gc.graceSeconds": 60}')
  const [fresh, future] = [await addTree(store, 'fresh'), await addTree(store, 'future')]
  age(store, future, -3_600_000)
  await runCollection(store)
  assert.deepEqual([missing(store, fresh.root).length, present(store, future)], [0, 0])
})

test('every dead block has a reason, and the reasons add up', async (t) => {
  const store = await temporaryStore(t)
  const old = await addTree(store, 'old')
  generation(store, 1, old.root)
  generation(store, 2, (await addTree(store, 'now')).root)
  current(store, 2)
  const let1 = await addTree(store, 'let go')
  const above = await addTree(store, 'above')
  const whole = tree('outer')
  const outer = whole.dag.directory({ inner: above.root, own: whole.root })
  await withAdd(store, async (add) => {
    await add.put([...whole.dag.blocks.values()])
    await add.commit([outer])
  })
  const auto = await addTree(store, 'auto')
  const path = link(`${store.paths.store}/${auto.root}`, join(store.paths.root, 'result'))
  await autoPin(store, path, { prog: 'x' })
  rmSync(path)
  const unfinished = tree('unfinished')
  await withAdd(store, (add) => add.put([...unfinished.dag.blocks.values()]))
  // The index says what leads to what; it knows a node once somebody walked or imported it.
  const roots = [old.root, let1.root, outer, auto.root]
  const { blocks: walked } = closureSize(store, roots)
  assert.equal(
    walked,
    [old, let1, whole, above, auto].reduce((sum, { blocks }) => sum + blocks, 1),
  )
  store.flush()
  const plan = await runCollection(store, { keep: 1 }, { dryRun: true })
  const done = await runCollection(store, { keep: 1 })
  assert.deepEqual(figures(plan), figures(done))
  const found = new Map(done.dead.map((group) => [`${group.why} ${group.cid ?? ''}`, group]))
  assert.deepEqual(
    [...found].map(([name, { blocks }]) => `${name}: ${blocks}`).sort(),
    [
      `auto-pin ${auto.root}: ${auto.blocks}`,
      `complete ${let1.root}: ${let1.blocks}`,
      `complete ${outer}: ${whole.blocks + above.blocks + 1}`,
      `generation ${old.root}: ${old.blocks}`,
      `unfinished : ${unfinished.blocks}`,
    ].sort(),
  )
  assert.equal(
    done.dead.reduce((sum, { bytes }) => sum + bytes, 0),
    done.bytes,
  )
  assert.equal(found.get(`generation ${old.root}`)?.number, 1)
  assert.equal(found.get(`auto-pin ${auto.root}`)?.path, path)
})

test('interrupted at any step it leaves every root whole, and a rerun does the rest', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  for (const point of STOP_POINTS) {
    const dead = await addTree(store, `dead ${point}`)
    const controller = new AbortController()
    const at = (reached: string) => {
      if (reached === point) controller.abort()
    }
    await runCollection(store, {}, { at, signal: controller.signal }).catch((error) =>
      assert.equal(error.name, 'AbortError'),
    )
    assert.deepEqual(missing(store, kept.root), [])
    await runCollection(store)
    assert.equal(present(store, dead), 0, point)
  }
})

test('what is dead is named while it is there, the largest first; the run tells the names of the plan', async (t) => {
  const store = await temporaryStore(t)
  const trees = [await addTree(store, 'small', 2), await addTree(store, 'large', 20)]
  for (const { root } of trees) closureSize(store, root)
  store.flush()
  const asked: string[] = []
  const nameDead = ({ cid }: { cid?: CID }) => {
    if (cid === undefined) return undefined
    asked.push(String(cid))
    return `${store.blocks.get(cid).length} bytes`
  }
  const plan = await runCollection(store, {}, { nameDead, dryRun: true })
  const done = await runCollection(store, {}, { nameDead })
  const largestFirst = trees.map(({ root }) => String(root)).reverse()
  assert.deepEqual(asked, [...largestFirst, ...largestFirst])
  assert.deepEqual(figures(plan), figures(done))
  assert.match(done.dead[0]?.name ?? '', /^\d+ bytes$/)
})

test('a plan for one user lets nobody else’s generations go', async (t) => {
  const store = await temporaryStore(t)
  for (const user of ['ann', 'bob']) {
    for (const number of [1, 2]) {
      generation(store, number, (await addTree(store, `${user} ${number}`)).root, user)
    }
    current(store, 2, user)
  }
  const plan = async (policyUser?: string) => {
    const { generations } = await runCollection(store, { keep: 1 }, { dryRun: true, policyUser })
    return generations.map(({ path }) => path.slice(store.paths.profilesPerUser.length))
  }
  assert.deepEqual(await plan(), ['/ann/generations/1', '/bob/generations/1'])
  assert.deepEqual(await plan('bob'), ['/bob/generations/1'])
})
