// A full disk: the collector is the way out, so it has to work there.

import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { isErrno } from '../../src/errors.ts'
import { readTempPins, TempPin } from '../../src/store/add/temp-pin.ts'
import { Store } from '../../src/store/store.ts'
import { fill, fillInodes, NOT_ROOT, onSmallDisk } from '../helpers/small-disk.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { addTree, missing, pinTree, present, tree } from './scenario.ts'

test('a record behind one that had no room is read', { skip: NOT_ROOT }, async (t) => {
  const tempPins = await temporaryDirectory(t)
  await onSmallDisk(tempPins, '64k', () => {
    const pin = new TempPin({ tempPins })
    fill(join(tempPins, 'filler'))
    const { dag, root } = tree('any')
    const blocks = Array.from({ length: 200 }, () => [...dag.blocks.values()]).flat()
    assert.throws(
      () => pin.addBlocks(blocks.map(({ cid }) => cid.multihash.bytes)),
      (error) => isErrno(error, 'ENOSPC'),
    )
    rmSync(join(tempPins, 'filler'))
    pin.addDag(root)
    assert.deepEqual(
      readTempPins({ tempPins }).flatMap(({ dags }) => dags.map(String)),
      [String(root)],
    )
    pin.close()
  })
})

for (const lost of [false, true]) {
  test(`a collection frees a full disk${lost ? ', also without an index' : ''}`, {
    skip: NOT_ROOT,
  }, async (t) => {
    const directory = await temporaryDirectory(t)
    await onSmallDisk(directory, '16m', async () => {
      const first = Store.open(join(directory, 'prefix'))
      const kept = await pinTree(first, 'kept')
      const dead = await addTree(first, 'dead')
      first.close()
      if (lost) for (const suffix of ['', '-wal', '-shm']) rmSync(first.paths.index + suffix, { force: true })
      fill(join(directory, 'filler'))
      const store = new Store(first.paths)
      await runCollection(store).finally(() => store.close())
      assert.equal(present(store, dead), 0)
      // What it said of complete DAGs could not be taken back.
      assert.ok(!existsSync(store.paths.index))
      assert.deepEqual(missing(store, kept.root), [])
    })
  })
}

for (const before of ['before the first collection', 'after one']) {
  test(`a collection works where no inode is left, ${before}`, { skip: NOT_ROOT }, async (t) => {
    const directory = await temporaryDirectory(t)
    await onSmallDisk(directory, '16m,nr_inodes=1400', async () => {
      const store = Store.open(join(directory, 'prefix'))
      const kept = await pinTree(store, 'kept')
      if (before === 'after one') await runCollection(store)
      for (let round = 0; round < 2; round++) {
        const dead = await addTree(store, `dead ${round}`)
        fillInodes(join(directory, `filler-${round}`))
        await runCollection(store)
        assert.equal(present(store, dead), 0)
        assert.deepEqual(missing(store, kept.root), [])
        rmSync(join(directory, `filler-${round}`), { recursive: true })
      }
      store.close()
    })
  })
}
