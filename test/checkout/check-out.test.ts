// Checkouts: real read-only trees of the same bytes, modes and times as the mount shows.

import assert from 'node:assert/strict'
import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { checkoutPath, poolDirectory } from '../../src/store/checkout/names.ts'
import { CID } from '../../src/store/cid.ts'
import { type DiskEntry, randomTree } from '../helpers/disk-tree.ts'
import { add, describe, storeWith } from './trees.ts'

const FILE: DiskEntry = { path: 'bin/x', content: Buffer.from('#!/bin/sh\necho hi\n'), executable: true }

for (const seed of [1, 2]) {
  test(`a random tree (seed ${seed}) is there as it was added, read-only and without a time`, async (t) => {
    const { store, source, cid } = await storeWith(t, randomTree(seed, 120))
    await checkOut(store, cid)
    const root = checkoutPath(store.paths, cid)
    assert.deepEqual(describe(root), describe(source))
    for (const path of Object.keys(describe(source))) {
      const stats = lstatSync(join(root, path))
      const executable = (lstatSync(join(source, path)).mode & 0o100) !== 0
      if (stats.isFile()) assert.equal(stats.mode & 0o7777, executable ? 0o555 : 0o444, path)
      if (stats.isDirectory()) assert.equal(stats.mode & 0o7777, 0o555, path)
      assert.equal(stats.mtimeMs, 0, path)
    }
  })
}

test('a file and a symlink can be what is checked out', async (t) => {
  const { store, source } = await storeWith(t, [FILE, { path: 'l', link: 'bin/x' }])
  for (const path of ['bin/x', 'l']) {
    const cid = await add(store, join(source, path))
    await checkOut(store, cid)
    assert.deepEqual(describe(checkoutPath(store.paths, cid)), describe(join(source, path)))
  }
})

test('again it makes nothing, and nothing is left beside the tree', async (t) => {
  const { store, cid } = await storeWith(t, [FILE])
  assert.equal((await checkOut(store, cid)).made.length, 1)
  const before = lstatSync(checkoutPath(store.paths, cid)).ino
  assert.equal((await checkOut(store, cid)).made.length, 0)
  assert.equal(lstatSync(checkoutPath(store.paths, cid)).ino, before)
  assert.deepEqual(readdirSync(store.paths.store).sort(), ['.files', cid.toString()])
})

test('another spelling of the CID is the same checkout', async (t) => {
  const { store, cid } = await storeWith(t, [FILE])
  await checkOut(store, cid)
  assert.equal((await checkOut(store, CID.createV0(cid.multihash as never))).made.length, 0)
})

test('two trees share the inode of the same file, and not that of the block', async (t) => {
  const { store, source, cid } = await storeWith(t, [FILE, { path: 'a', content: Buffer.from('a') }])
  await checkOut(store, cid)
  writeFileSync(join(source, 'b'), 'b')
  const other = await add(store, source)
  await checkOut(store, other)
  const first = lstatSync(join(checkoutPath(store.paths, cid), 'a'))
  assert.equal(lstatSync(join(checkoutPath(store.paths, other), 'a')).ino, first.ino)
  // Both trees and the pool.
  assert.equal(first.nlink, 3)
})

test('a file of the pool that was written to is never linked again', async (t) => {
  const { store, source, cid } = await storeWith(t, [{ path: 'a', content: Buffer.from('right') }])
  await checkOut(store, cid)
  const [pooled] = readdirSync(poolDirectory(store.paths))
  const file = join(poolDirectory(store.paths), pooled!)
  chmodSync(file, 0o644)
  writeFileSync(file, 'wrong')
  chmodSync(file, 0o444)
  writeFileSync(join(source, 'b'), 'b')
  const other = await add(store, source)
  await checkOut(store, other)
  assert.equal(readFileSync(join(checkoutPath(store.paths, other), 'a'), 'utf8'), 'right')
})

test('a damaged block makes no tree, and leaves nothing', async (t) => {
  const { store, source, cid } = await storeWith(t, [FILE])
  const block = store.blocks.file((await add(store, join(source, 'bin/x'))) as CID)
  chmodSync(block, 0o644)
  writeFileSync(block, 'x')
  await assert.rejects(checkOut(store, cid), (error) =>
    hasCode(error, 'CORRUPT_BLOCK', 'MISSING_BLOCK', 'BAD_NODE'),
  )
  assert.deepEqual(readdirSync(store.paths.store), ['.files'])
})

test('an interrupted checkout leaves nothing', async (t) => {
  const { store, cid } = await storeWith(t, randomTree(5, 50))
  const interruption = new AbortController()
  const onProgress = () => interruption.abort()
  await assert.rejects(checkOut(store, cid, { signal: interruption.signal, onProgress }), {
    name: 'AbortError',
  })
  assert.deepEqual(readdirSync(store.paths.store), ['.files'])
})
