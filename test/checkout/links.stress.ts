// More links than an inode may have: 65,000 on ext4 (EXT4_LINK_MAX).

import assert from 'node:assert/strict'
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { checkoutPath, poolDirectory } from '../../src/store/checkout/names.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { add, storeWith } from './trees.ts'

test('a file with as many links as it may have gets another inode', async (t) => {
  const { store, source, cid } = await storeWith(t, [{ path: 'a', content: Buffer.from('a') }])
  await checkOut(store, cid)
  const file = join(poolDirectory(store.paths), readdirSync(poolDirectory(store.paths))[0]!)
  const many = await temporaryDirectory(t)
  try {
    for (let n = 0; n < 70_000; n++) linkSync(file, join(many, `${n}`))
    return t.skip('this file system allows more than 70,000 links')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EMLINK')
  }
  mkdirSync(join(source, 'more'))
  const other = await add(store, source)
  await checkOut(store, other)
  const place = join(checkoutPath(store.paths, other), 'a')
  assert.equal(readFileSync(place, 'utf8'), 'a')
  assert.equal(lstatSync(place).nlink, 2)
})
