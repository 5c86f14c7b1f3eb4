// Every race between a collector and somebody else, forced at a named point.
// What is asserted is always the same: whoever was told that something is done
// still has all of it afterwards.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { runCollection } from '../../src/pins/collect.ts'
import { addPin, removePin } from '../../src/pins/pins.ts'
import { STOP_POINTS, type StopPoint } from '../../src/pins/stop-point.ts'
import { AddSession, withAdd } from '../../src/store/add.ts'
import { requireComplete } from '../../src/store/closure.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { addTree, current, generation, link, missing, pinTree, present, type Tree, tree } from './scenario.ts'

/** Runs a collection and, the first time it comes to `point`, `act` beside it; waits for both. */
async function beside(store: Store, point: StopPoint, act: () => Promise<unknown>) {
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

/** Something dead, so that a collection passes every point; and an old generation. */
async function withGarbage(t: TestContext): Promise<{ store: Store; dead: Tree }> {
  const store = await temporaryStore(t)
  await pinTree(store, 'kept')
  generation(store, 1, (await addTree(store, 'old')).root)
  generation(store, 2, (await addTree(store, 'new')).root)
  current(store, 2)
  return { store, dead: await addTree(store, 'dead') }
}

async function addAgain(store: Store, { dag, root }: Tree): Promise<void> {
  await withAdd(store, async (add) => {
    await add.put([...dag.blocks.values()])
    await add.commit([root])
    await addPin(store, { prog: 'again', cid: root })
  })
}

for (const point of STOP_POINTS) {
  test(`blocks that are found present at "${point}" are not lost`, async (t) => {
    const { store, dead } = await withGarbage(t)
    await beside(store, point, () => addAgain(store, dead))
    assert.deepEqual(missing(store, dead.root), [])
  })

  test(`a DAG that is pinned at "${point}" is whole, or the pin is refused`, async (t) => {
    const { store, dead } = await withGarbage(t)
    let refused = false
    await beside(store, point, () =>
      addPin(store, { prog: 'late', cid: dead.root }).catch((error) => {
        refused = hasCode(error, 'INCOMPLETE', 'MISSING_BLOCK')
        assert.ok(refused, String(error))
      }),
    )
    if (!refused) assert.deepEqual(missing(store, dead.root), [])
  })

  test(`new content that is added at "${point}" is not lost`, async (t) => {
    const { store } = await withGarbage(t)
    const fresh = tree('fresh')
    await beside(store, point, () => addAgain(store, fresh))
    assert.deepEqual(missing(store, fresh.root), [])
  })

  test(`a block that is damaged and written anew at "${point}" is not lost`, async (t) => {
    const { store, dead } = await withGarbage(t)
    await beside(store, point, () => {
      for (const { cid, bytes } of dead.dag.blocks.values()) {
        if (!store.blocks.has(cid)) continue
        // The file that the collector has listed, left short by a crash.
        chmodSync(store.blocks.file(cid), 0o644)
        truncateSync(store.blocks.file(cid), bytes.length - 1)
      }
      return addAgain(store, dead)
    })
    assert.deepEqual(missing(store, dead.root), [])
  })

  test(`an auto pin made anew at "${point}" for a link that was gone is kept`, async (t) => {
    const { store, dead } = await withGarbage(t)
    const path = join(await temporaryDirectory(t), 'result')
    await autoPin(store, link(`${store.paths.store}/${dead.root}`, path), { prog: 'x' })
    unlinkSync(path)
    let refused = false
    await beside(store, point, () =>
      withAdd(store, async (add) => {
        await add.protect(dead.root)
        try {
          requireComplete(store, dead.root)
        } catch {
          refused = true
          return
        }
        link(`${store.paths.store}/${dead.root}`, path)
        await autoPin(store, path, { prog: 'x' })
      }),
    )
    if (refused) return
    await runCollection(store)
    assert.deepEqual(missing(store, dead.root), [])
  })
}

test('a link that is made after the mark, without the lock, is seen by the next batch', async (t) => {
  const { store, dead } = await withGarbage(t)
  const result = await beside(store, 'batch', async () => {
    link(`../../../../store/${dead.root}`, join(store.paths.pinsPerUser, 'eve', 'byhand', String(dead.root)))
  })
  assert.deepEqual(missing(store, dead.root), [])
  assert.equal(result.claimed, dead.blocks)
})

test('a temp pin that appears between two batches protects what is left', async (t) => {
  const store = await temporaryStore(t)
  const [first, second] = [await addTree(store, 'first', 400), await addTree(store, 'second', 400)]
  const session = new AddSession(store)
  t.after(() => session.close())
  let refused = false
  await beside(store, 'batch-done', async () => {
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

test('a large DAG that is claimed during the sweep is walked without the lock', async (t) => {
  const store = await temporaryStore(t)
  const trees = []
  for (let index = 0; index < 12; index++) trees.push(await addTree(store, `tree ${index}`, 250))
  const add = new AddSession(store)
  t.after(() => add.close())
  await beside(store, 'batch', async () => {
    for (const { root } of trees) await add.protect(root)
  })
  assert.deepEqual(
    trees.flatMap(({ root }) => missing(store, root)),
    [],
  )
})

test('a pin that is moved from one name to another during the mark keeps its DAG', async (t) => {
  const { store } = await withGarbage(t)
  const moved = await pinTree(store, 'here')
  await beside(store, 'temp-pins-read', async () => {
    await addPin(store, { prog: 'there', cid: moved.root })
    await removePin(store, { prog: 'here' })
  })
  assert.deepEqual(missing(store, moved.root), [])
})

test('what the index called complete is not believed after its blocks went', async (t) => {
  const { store, dead } = await withGarbage(t)
  assert.ok(store.index.isComplete(dead.root))
  await runCollection(store)
  await assert.rejects(addPin(store, { prog: 'late', cid: dead.root }), (error) =>
    hasCode(error, 'INCOMPLETE', 'MISSING_BLOCK'),
  )
})

test('a DAG that was added whole and given up between two looks is not called complete', async (t) => {
  const { store, dead } = await withGarbage(t)
  await beside(store, 'synced', () =>
    withAdd(store, async (add) => {
      await add.put([...dead.dag.blocks.values()])
      await add.commit([dead.root])
    }),
  )
  assert.equal(present(store, dead), 0)
  assert.ok(!store.index.isComplete(dead.root))
})

test('a place that becomes unreadable during the sweep ends it', async (t) => {
  const { store, dead } = await withGarbage(t)
  const run = beside(store, 'batch', async () => {
    mkdirSync(join(store.paths.pinsPerUser, 'mallory'))
    link('loop', join(store.paths.pinsPerUser, 'mallory', 'loop'))
  })
  await assert.rejects(run, (error) => hasCode(error, 'IO') && error.message.includes('mallory'))
  assert.equal(present(store, dead), dead.blocks)
  rmSync(join(store.paths.pinsPerUser, 'mallory'), { recursive: true })
})
