// The dedup ratio: what the DAGs of roots would take each for itself, by what they take together.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addPin } from '../../src/pins/pins.ts'
import { diskUsage } from '../../src/profiles/disk-usage.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { pinTree, tree } from '../collector/scenario.ts'
import { temporaryStore } from '../helpers/store.ts'

test('another pin of the same DAG is no copy; one inside another is; what is in use counts on both sides', async (t) => {
  const store = await temporaryStore(t)
  const one = await pinTree(store, 'one')
  assert.equal((await diskUsage(store)).dedupRatio, 1)
  for (const prog of ['again', 'and again']) await addPin(store, { prog, cid: one.root })
  const { dedupRatio, copies, kept } = await diskUsage(store)
  assert.deepEqual([dedupRatio, copies], [1, kept.bytes])
  const other = tree('other')
  await withAdd(store, async (add) => {
    await add.put([...other.dag.blocks.values()])
    // Blocks alone are no DAG: the ratio says nothing of them.
    assert.equal((await diskUsage(store)).dedupRatio, 1)
    await add.protect(other.root)
    const used = await diskUsage(store)
    assert.deepEqual([used.dedupRatio, used.copies], [1, one.bytes + other.bytes])
    const outer = other.dag.directory({ one: one.root, other: other.root })
    await add.put([...other.dag.blocks.values()])
    await addPin(store, { prog: 'outer', cid: outer })
    const all = await diskUsage(store)
    const top = all.kept.bytes - one.bytes - other.bytes
    assert.equal(all.copies, 2 * (one.bytes + other.bytes) + top)
    assert.equal(all.dedupRatio, all.copies / all.kept.bytes)
  })
})
