// Every race between a collector and somebody else, forced at a named point.
// What is asserted is always the same: whoever was told that something is done
// still has all of it afterwards.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode } from '../../src/errors.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { addPin, removePin } from '../../src/pins/pins.ts'
import { STOP_POINTS, type StopPoint } from '../../src/pins/stop-point.ts'
import { AddSession, withAdd } from '../../src/store/add/add.ts'
import { requireComplete } from '../../src/store/links/closure.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { addTree, current, generation, link, missing, pinTree, present, type Tree, tree } from './scenario.ts'

/** Runs a collection and, the first time it comes to `point`, `act` beside it; waits for both. */
async function beside(point: StopPoint, act: () => Promise<unknown>) {
  let acting: Promise<unknown> | undefined
  const result = await runCollection(
    store,
    { keep: 1 },
    {
      at: async (reached) => {
        if (reached !== point || acting) return
        acting = act()
        // It may have to wait for the batch we are in the middle of: then it goes on when the lock is free.
        const started = acting.catch(() => {})
        await Promise.race([started, new Promise((resolve) => setTimeout(resolve, 60))])
      },
    },
  )
  assert.ok(acting, `the collection did not come to ${point}`)
  await acting
  return result
}

// One store for all: making one costs more than what is done in it, and leftovers of the others do no harm.
const directory = await temporaryDirectory({ after })
const store = Store.open(directory)
after(() => store.close())
let round = 0

/** An old generation, and dead DAGs of these names, so that a collection passes every point. */
async function garbage(...names: string[]): Promise<Tree[]> {
  const user = `user-${++round}`
  await pinTree(store, `kept ${round}`)
  generation(store, 1, (await addTree(store, `old ${round}`)).root, user)
  generation(store, 2, (await addTree(store, `new ${round}`)).root, user)
  current(store, 2, user)
  return Promise.all(names.map((name) => addTree(store, `${name} ${round}`)))
}

/** True when `act` was refused because the DAG is not whole any more: nothing was promised then. */
async function isRefused(act: Promise<unknown>): Promise<boolean> {
  try {
    await act
    return false
  } catch (error) {
    assert.ok(hasCode(error, 'INCOMPLETE', 'MISSING_BLOCK'), String(error))
    return true
  }
}

async function addAgain({ dag, root }: Tree): Promise<void> {
  await withAdd(store, async (add) => {
    await add.put([...dag.blocks.values()])
    await add.commit([root])
    await addPin(store, { prog: 'again', cid: root })
  })
}

/** Leaves every file of the DAG that is there as a crash would: too short. The collector has listed it as it was. */
function damage({ dag }: Tree): void {
  for (const { cid, bytes } of dag.blocks.values()) {
    if (!store.blocks.has(cid)) continue
    chmodSync(store.blocks.file(cid), 0o644)
    truncateSync(store.blocks.file(cid), bytes.length - 1)
  }
}

/** Keeps a DAG by a link whose auto pin is about to be dropped. */
function linkAgain({ root }: Tree, path: string): Promise<void> {
  return withAdd(store, async (add) => {
    await add.protect(root)
    requireComplete(store, root)
    link(`${store.paths.store}/${root}`, path)
    await autoPin(store, path, { prog: 'result' })
  })
}

for (const point of STOP_POINTS) {
  test(`nothing is lost of what is added, pinned, healed or linked at "${point}"`, async () => {
    const [found, pinned, damaged, linked] = await garbage('found', 'pinned', 'damaged', 'linked')
    assert.ok(found && pinned && damaged && linked)
    const fresh = tree(`fresh ${round}`)
    const path = join(directory, `result-${round}`)
    await autoPin(store, link(`${store.paths.store}/${linked.root}`, path), { prog: 'result' })
    unlinkSync(path)
    const promised = [found, fresh, damaged]
    await beside(point, async () => {
      damage(damaged)
      const adding = [...promised].map(addAgain)
      const pinning = isRefused(addPin(store, { prog: 'late', cid: pinned.root }))
      const linking = isRefused(linkAgain(linked, path))
      await Promise.all(adding)
      if (!(await pinning)) promised.push(pinned)
      if (!(await linking)) promised.push(linked)
    })
    assert.deepEqual(
      promised.flatMap(({ root }) => missing(store, root)),
      [],
    )
    await runCollection(store)
    assert.deepEqual(
      promised.flatMap(({ root }) => missing(store, root)),
      [],
    )
  })
}

test('a link that is made after the mark, without the lock, is seen by the next batch', async () => {
  const [dead] = await garbage('dead')
  assert.ok(dead)
  const result = await beside('batch', async () => {
    link(`../../../../store/${dead.root}`, join(store.paths.pinsPerUser, 'eve', 'byhand', String(dead.root)))
  })
  assert.deepEqual(missing(store, dead.root), [])
  assert.equal(result.claimed, dead.blocks)
})

test('a temp pin that appears between two batches protects what is left', async (t) => {
  const [first, second] = [await addTree(store, 'first', 400), await addTree(store, 'second', 400)]
  const session = new AddSession(store)
  t.after(() => session.close())
  let refused = false
  await beside('batch-done', async () => {
    for (const { root } of [first, second]) {
      await session.protect(root)
      try {
        requireComplete(store, root)
        assert.fail('a batch of blocks was deleted: it cannot be whole')
      } catch (error) {
        refused = hasCode(error, 'INCOMPLETE', 'MISSING_BLOCK')
      }
    }
    assert.ok(refused)
    await session.put([...first.dag.blocks.values(), ...second.dag.blocks.values()])
  })
  assert.deepEqual([...missing(store, first.root), ...missing(store, second.root)], [])
})

test('blocks that are written again between two batches need no link to be safe', async (t) => {
  const [dead] = await garbage('dead')
  assert.ok(dead)
  const session = new AddSession(store)
  t.after(() => session.close())
  await beside('batch', () => session.put([...dead.dag.blocks.values()]))
  assert.deepEqual(missing(store, dead.root), [])
})

test('a temp pin that becomes a link in the middle of a batch is seen as one of the two', async () => {
  const [dead] = await garbage('dead')
  assert.ok(dead)
  const session = new AddSession(store)
  let isHanded = false
  await runCollection(
    store,
    {},
    {
      at: async (point) => {
        // What is left for another batch, where one took too long, comes here again.
        if (isHanded) return
        if (point === 'batch') await session.protect(dead.root)
        if (point !== 'batch-claims-read') return
        isHanded = true
        link(
          `../../../../store/${dead.root}`,
          join(store.paths.pinsPerUser, 'eve', `handed ${round}`, `${dead.root}`),
        )
        session.close()
      },
    },
  )
  assert.deepEqual(missing(store, dead.root), [])
})

test('a large DAG that is claimed during the sweep is walked without the lock', async (t) => {
  const trees: Tree[] = []
  for (let index = 0; index < 12; index++) trees.push(await addTree(store, `tree ${index}`, 250))
  const add = new AddSession(store)
  t.after(() => add.close())
  await beside('batch', async () => {
    for (const { root } of trees) await add.protect(root)
  })
  assert.deepEqual(
    trees.flatMap(({ root }) => missing(store, root)),
    [],
  )
})

test('a pin that is moved from one name to another during the mark keeps its DAG', async () => {
  await garbage()
  const moved = await pinTree(store, 'here')
  await beside('temp-pins-read', async () => {
    await addPin(store, { prog: 'there', cid: moved.root })
    await removePin(store, { prog: 'here' })
  })
  assert.deepEqual(missing(store, moved.root), [])
})

test('what the index called complete is not believed after its blocks went', async () => {
  const [dead] = await garbage('dead')
  assert.ok(dead)
  assert.ok(store.index.isComplete(dead.root))
  await runCollection(store)
  await assert.rejects(addPin(store, { prog: 'late', cid: dead.root }), (error) =>
    hasCode(error, 'INCOMPLETE', 'MISSING_BLOCK'),
  )
})

test('a DAG that was added whole and given up during the sweep stays whole, or is not called complete', async () => {
  const [dead] = await garbage('dead')
  assert.ok(dead)
  await beside('synced', () =>
    withAdd(store, async (add) => {
      await add.put([...dead.dag.blocks.values()])
      await add.commit([dead.root])
    }),
  )
  assert.deepEqual(missing(store, dead.root), [])
  await runCollection(store)
  assert.equal(present(store, dead), 0)
  assert.ok(!store.index.isComplete(dead.root))
})

test('a place that becomes unreadable during the sweep ends it', async () => {
  const [dead] = await garbage('dead')
  assert.ok(dead)
  const run = beside('batch', async () => {
    mkdirSync(join(store.paths.pinsPerUser, 'mallory'))
    link('loop', join(store.paths.pinsPerUser, 'mallory', 'loop'))
  })
  await assert.rejects(run, (error) => hasCode(error, 'IO') && error.message.includes('mallory'))
  assert.equal(present(store, dead), dead.blocks)
  rmSync(join(store.paths.pinsPerUser, 'mallory'), { recursive: true })
})
