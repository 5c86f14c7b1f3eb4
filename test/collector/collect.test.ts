import assert from 'node:assert/strict'
import { existsSync, lutimesSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { planCollection } from '../../src/collector/plan.ts'
import { hasCode } from '../../src/errors.ts'
import { withLock } from '../../src/files/lock.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { addPin, removePin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { TempPin } from '../../src/store/add/temp-pin.ts'
import { Dag } from '../fixtures/dag.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { addTree, current, generation, link, missing, pinTree, present } from './scenario.ts'

test('what a root reaches stays, and nothing else', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  const dead = await addTree(store, 'dead')
  const result = await runCollection(store)
  assert.deepEqual(missing(store, kept.root), [])
  assert.equal(present(store, dead), 0)
  assert.equal(result.blocks, dead.blocks)
  assert.equal(result.bytes, dead.bytes)
  assert.equal(result.keptBlocks, kept.blocks)
})

test('a second collection finds nothing to do', async (t) => {
  const store = await temporaryStore(t)
  await pinTree(store, 'kept')
  await addTree(store, 'dead')
  await runCollection(store)
  const again = await runCollection(store)
  assert.deepEqual([again.blocks, again.bytes], [0, 0])
})

test('a dry run says exactly what the collection then deletes, and changes nothing', async (t) => {
  const store = await temporaryStore(t)
  const one = await addTree(store, 'one')
  const two = await addTree(store, 'two', 40)
  generation(store, 1, one.root)
  generation(store, 2, two.root)
  current(store, 2)
  await addTree(store, 'dead')
  const policy = { keep: 1 }
  const plan = await runCollection(store, policy, { dryRun: true })
  assert.equal(present(store, one), one.blocks)
  const done = await runCollection(store, policy)
  assert.ok(plan.dryRun && !done.dryRun)
  assert.deepEqual(
    [plan.blocks, plan.bytes, plan.keptBlocks, plan.generations.map((old) => old.number)],
    [done.blocks, done.bytes, done.keptBlocks, [1]],
  )
  assert.deepEqual(missing(store, two.root), [])
})

test('blocks that two DAGs share stay as long as one of them does', async (t) => {
  const store = await temporaryStore(t)
  const shared = await pinTree(store, 'shared')
  await addPin(store, { prog: 'again', cid: shared.root })
  await removePin(store, { prog: 'shared' })
  await runCollection(store)
  assert.deepEqual(missing(store, shared.root), [])
})

test('what a living process adds stays without any link', async (t) => {
  const store = await temporaryStore(t)
  const old = await addTree(store, 'old')
  await withAdd(store, async (add) => {
    const fresh = await addTree(store, 'fresh')
    await add.put([...fresh.dag.blocks.values()])
    await add.protect(old.root)
    await runCollection(store)
    assert.deepEqual([...missing(store, fresh.root), ...missing(store, old.root)], [])
  })
})

test('what a dead process was adding goes, and so does its temp pin', async (t) => {
  const store = await temporaryStore(t)
  const dead = await addTree(store, 'dead')
  const pin = new TempPin(store.paths)
  pin.addDag(dead.root)
  // Same pid, but not the process that has it now.
  const name = `${process.pid}-1-00`
  writeFileSync(join(store.paths.tempPins, name), readFileSync(pin.file))
  pin.close()
  await runCollection(store)
  assert.equal(present(store, dead), 0)
  assert.deepEqual(readdirSync(store.paths.tempPins), [])
})

test('an auto pin keeps what its link leads to, also after the link was changed', async (t) => {
  const store = await temporaryStore(t)
  const home = await temporaryDirectory(t)
  const [a, b] = [await addTree(store, 'a'), await addTree(store, 'b')]
  const path = link(`${store.paths.store}/${a.root}/bin`, join(home, 'result'))
  await autoPin(store, path, { prog: 'build' })
  rmSync(path)
  link(`${store.paths.store}/${b.root}`, path)
  await runCollection(store)
  assert.equal(present(store, a), 0)
  assert.deepEqual(missing(store, b.root), [])
})

test('an auto pin goes when its link was deleted, and what it kept with it', async (t) => {
  const store = await temporaryStore(t)
  const home = await temporaryDirectory(t)
  const made = await addTree(store, 'made')
  const path = link(`${store.paths.store}/${made.root}`, join(home, 'deep', 'result'))
  const { autoPin: pin } = await autoPin(store, path, { prog: 'build' })
  rmSync(join(home, 'deep'), { recursive: true })
  const result = await runCollection(store)
  assert.equal(result.gone.length, 1)
  assert.equal(present(store, made), 0)
  assert.deepEqual([existsSync(pin), existsSync(`${pin}.json`)], [false, false])
})

test('old generations go, and what only they kept; the current one stays', async (t) => {
  const store = await temporaryStore(t)
  const trees = []
  for (const number of [1, 2, 3, 4]) {
    trees.push(await addTree(store, `tree ${number}`))
    generation(store, number, trees[number - 1]!.root)
  }
  current(store, 2)
  const { generations } = await runCollection(store, { keep: 1 })
  assert.deepEqual(
    generations.map((old) => old.number),
    [1, 3],
  )
  assert.deepEqual(
    trees.map((made) => present(store, made) > 0),
    [false, true, false, true],
  )
})

test('generations of profiles elsewhere go too, with their auto pins', async (t) => {
  const store = await temporaryStore(t)
  const profile = await temporaryDirectory(t)
  const [a, b] = [await addTree(store, 'a'), await addTree(store, 'b')]
  for (const [number, { root }] of [a, b].entries()) {
    const path = link(`${store.paths.store}/${root}`, join(profile, 'generations', String(number + 1)))
    await autoPin(store, path, { prog: 'profile' })
  }
  link('generations/2', join(profile, 'current'))
  const { generations, gone } = await runCollection(store, { olderThanMs: 0, keep: 0 })
  assert.deepEqual(
    generations.map((old) => old.number),
    [1],
  )
  assert.equal(gone.length, 1)
  assert.equal(present(store, a), 0)
  assert.deepEqual(missing(store, b.root), [])
})

test('a generation that another link leads through stays', async (t) => {
  const store = await temporaryStore(t)
  const home = await temporaryDirectory(t)
  const [a, b] = [await addTree(store, 'a'), await addTree(store, 'b')]
  const first = generation(store, 1, a.root)
  generation(store, 2, b.root)
  current(store, 2)
  await autoPin(store, link(first, join(home, 'favourite')), { prog: 'mine' })
  const { generations } = await runCollection(store, { keep: 0 })
  assert.deepEqual(generations, [])
  assert.deepEqual(missing(store, a.root), [])
})

test('a profile that somebody is changing keeps its generations for now', async (t) => {
  const store = await temporaryStore(t)
  const [a, b] = [await addTree(store, 'a'), await addTree(store, 'b')]
  generation(store, 1, a.root)
  generation(store, 2, b.root)
  current(store, 2)
  const lock = join(store.paths.profilesPerUser, 'bob', 'lock')
  const { generations, skipped } = await withLock(lock, () => runCollection(store, { keep: 1 }))
  assert.deepEqual([generations.length, skipped[0]?.why], [0, 'BUSY'])
  assert.deepEqual(missing(store, a.root), [])
})

test('age counts from when a generation was made', async (t) => {
  const store = await temporaryStore(t)
  const trees = [await addTree(store, 'a'), await addTree(store, 'b'), await addTree(store, 'c')]
  for (const [index, { root }] of trees.entries()) {
    const path = generation(store, index + 1, root)
    const days = Date.now() / 1000 - (3 - index) * 24 * 3600
    lutimesSync(path, days, days)
  }
  current(store, 3)
  const { generations } = await planCollection(store, { olderThanMs: 2.5 * 24 * 3600 * 1000 })
  assert.deepEqual(
    generations.map((old) => old.number),
    [1],
  )
})

test('only one collection runs at a time', async (t) => {
  const store = await temporaryStore(t)
  await runCollection(
    store,
    {},
    {
      at: async (point) => {
        if (point !== 'marked') return
        await assert.rejects(runCollection(store, {}, { waitMs: 0 }), (error) => hasCode(error, 'BUSY'))
      },
    },
  )
})

test('a collection that is interrupted leaves a whole store, and a rerun does the rest', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  const dead = await addTree(store, 'dead', 50)
  const controller = new AbortController()
  let unlinks = 0
  writeFileSync(store.paths.config, '{"gc.batch": 10}')
  const run = runCollection(
    store,
    {},
    {
      signal: controller.signal,
      at: (point) => {
        if (point === 'unlink' && ++unlinks === 15) controller.abort()
      },
    },
  )
  await assert.rejects(run, { name: 'AbortError' })
  assert.ok(present(store, dead) > 0 && present(store, dead) < dead.blocks)
  assert.deepEqual(missing(store, kept.root), [])
  await runCollection(store)
  assert.equal(present(store, dead), 0)
})

test('progress ends with all that was deleted', async (t) => {
  const store = await temporaryStore(t)
  const dead = await addTree(store, 'dead')
  const seen: unknown[] = []
  await runCollection(store, {}, { onProgress: (progress) => seen.push(progress) })
  assert.deepEqual(seen.at(-1), { step: 'sweep', blocks: dead.blocks, bytes: dead.bytes, total: dead.blocks })
})

test('a DAG of which a part is missing keeps the rest, and is named', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  const directory = [...kept.dag.blocks.values()].find(
    ({ cid }) => cid.code === 0x70 && !cid.equals(kept.root),
  )!
  store.index.clear()
  store.blocks.delete(directory.cid)
  const { incomplete } = await runCollection(store)
  assert.deepEqual(incomplete.map(String), [String(directory.cid)])
  assert.ok(store.blocks.has(kept.root))
})

test('what is lost is named also where the index knows its links; what an add is about to write is not', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  const whole = await runCollection(store)
  assert.deepEqual(whole.incomplete, [])
  const leaf = [...kept.dag.blocks.values()].find(({ cid }) => cid.code === 0x55)!
  for (const cid of [kept.root, leaf.cid]) store.blocks.delete(cid)
  const coming = new Dag().raw('coming')
  const pin = new TempPin(store.paths)
  t.after(() => pin.close())
  pin.addBlocks([coming.multihash.bytes])
  for (const dryRun of [true, false]) {
    const { incomplete, blocks } = await runCollection(store, {}, { dryRun })
    assert.deepEqual(incomplete.map(String).sort(), [kept.root, leaf.cid].map(String).sort())
    assert.equal(blocks, 0)
  }
})

test('what nobody finished writing goes once it is old', async (t) => {
  const store = await temporaryStore(t)
  const old = join(store.paths.blocksTemp, '1-aa-0')
  const fresh = join(store.paths.blocksTemp, '1-aa-1')
  const linked = link('nowhere', join(store.paths.pinsPerUser, 'bob', 'x', '.tmp-pin-0'))
  writeFileSync(old, '')
  writeFileSync(fresh, '')
  for (const path of [old, linked]) lutimesSync(path, 0, 0)
  await runCollection(store)
  assert.deepEqual(
    [old, fresh, linked].map((path) => readdirSync(join(path, '..')).includes(path.split('/').at(-1)!)),
    [false, true, false],
  )
})
