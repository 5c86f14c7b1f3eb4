// The checker of the stress tests finds what it is there to find.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import type { CID } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { checkPrefix } from './checker.ts'

/** A prefix with one pinned tree; `leaf` is the CID of a file deep in it. */
async function pinned(t: TestContext) {
  const store = await temporaryStore(t)
  const tree = await temporaryDirectory(t)
  mkdirSync(join(tree, 'a', 'b'), { recursive: true })
  writeFileSync(join(tree, 'a', 'b', 'leaf'), 'leaf')
  writeFileSync(join(tree, 'large'), Buffer.alloc(3_000_000, 'x'))
  await withAdd(store, async (add) => {
    const { cid } = await importTree(add, tree)
    await addPin(store, { prog: 'tree', cid })
  })
  return { store, leaf: rawCid(Buffer.from('leaf')) }
}

test('a sound prefix', async (t) => {
  const { store } = await pinned(t)
  assert.deepEqual(checkPrefix(store.paths.root), [])
})

const DAMAGE: [string, RegExp, (file: string, leaf: CID) => void][] = [
  ['a missing block', /is missing/, (file) => rmSync(file)],
  [
    'a block with other bytes',
    /has other bytes/,
    (file) => {
      chmodSync(file, 0o644)
      writeFileSync(file, 'lead')
    },
  ],
]
for (const [title, says, damage] of DAMAGE) {
  test(`${title} below a pin`, async (t) => {
    const { store, leaf } = await pinned(t)
    damage(store.blocks.file(leaf), leaf)
    const [wrong, ...more] = checkPrefix(store.paths.root)
    assert.match(wrong ?? '', says)
    assert.ok(wrong?.includes(leaf.toString()))
    assert.deepEqual(more, [])
  })
}

test('a profile whose current generation is not there', async (t) => {
  const { store } = await pinned(t)
  mkdirSync(join(store.paths.profilesPerUser, 'eve'))
  symlinkSync('generations/7', join(store.paths.profilesPerUser, 'eve', 'current'))
  assert.match(checkPrefix(store.paths.root)[0] ?? '', /not there/)
})
