// Damage in checkouts is named, and made anew from the blocks.

import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { checkoutPath } from '../../src/store/checkout/names.ts'
import { verifyCheckouts } from '../../src/store/checkout/repair.ts'
import type { DiskEntry } from '../helpers/disk-tree.ts'
import { add, describe, storeWith } from './trees.ts'

const ENTRIES: DiskEntry[] = [
  { path: 'bin/x', content: Buffer.from('#!/bin/sh\n'), executable: true },
  { path: 'bin/deep/y', content: Buffer.from('y') },
  { path: 'a', content: Buffer.from('0123456789') },
  { path: 'l', link: 'a' },
  { path: 'empty', directory: true },
]

/** Writes as a disk that rots does: neither the time nor the mode tells. */
function rot(file: string): void {
  chmodSync(file, 0o644)
  writeFileSync(file, '0123X56789')
  chmodSync(file, 0o444)
  utimesSync(file, 0, 0)
}

/** Does something in a read-only directory. */
function inside(path: string, act: () => void): void {
  chmodSync(dirname(path), 0o755)
  act()
  chmodSync(dirname(path), 0o555)
  utimesSync(dirname(path), 0, 0)
}

const DAMAGES: Record<string, (root: string) => { path: string; why: RegExp }> = {
  'a rotten byte': (root) => {
    rot(join(root, 'a'))
    return { path: '/a', why: /other bytes/ }
  },
  'a file that was cut': (root) => {
    chmodSync(join(root, 'a'), 0o644)
    writeFileSync(join(root, 'a'), '')
    return { path: '/a', why: /has 0 bytes, not 10/ }
  },
  'a lost mode': (root) => {
    chmodSync(join(root, 'bin/x'), 0o444)
    return { path: '/bin/x', why: /has mode 0444/ }
  },
  'a missing file': (root) => {
    inside(join(root, 'bin/x'), () => rmSync(join(root, 'bin/x')))
    return { path: '/bin/x', why: /is missing/ }
  },
  'a missing directory': (root) => {
    inside(join(root, 'bin/deep'), () => {
      chmodSync(join(root, 'bin/deep'), 0o755)
      rmSync(join(root, 'bin/deep'), { recursive: true })
    })
    return { path: '/bin/deep', why: /is missing/ }
  },
  'a directory in place of a file': (root) => {
    inside(join(root, 'a'), () => {
      rmSync(join(root, 'a'))
      mkdirSync(join(root, 'a'))
    })
    return { path: '/a', why: /is no regular file/ }
  },
  'a symlink in place of a file': (root) => {
    inside(join(root, 'a'), () => {
      rmSync(join(root, 'a'))
      symlinkSync('/etc/passwd', join(root, 'a'))
    })
    return { path: '/a', why: /is no regular file/ }
  },
  'a file in place of a directory': (root) => {
    inside(join(root, 'empty'), () => {
      renameSync(join(root, 'empty'), join(root, 'moved'))
      rmSync(join(root, 'moved'), { recursive: true })
      writeFileSync(join(root, 'empty'), '')
    })
    return { path: '/empty', why: /is no directory/ }
  },
  'a symlink that leads elsewhere': (root) => {
    inside(join(root, 'l'), () => {
      rmSync(join(root, 'l'))
      symlinkSync('bin', join(root, 'l'))
    })
    return { path: '/l', why: /leads elsewhere/ }
  },
  'a file too many': (root) => {
    inside(join(root, 'bin/x'), () => writeFileSync(join(root, 'bin/more'), 'more'))
    return { path: '/bin/more', why: /not in its DAG/ }
  },
  'a directory that can be written': (root) => {
    chmodSync(join(root, 'bin'), 0o755)
    return { path: '/bin', why: /has mode 0755/ }
  },
}

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`${name} is named, and made anew`, async (t) => {
    const { store, source, cid } = await storeWith(t, ENTRIES)
    await checkOut(store, cid)
    const root = checkoutPath(store.paths, cid)
    assert.deepEqual((await verifyCheckouts(store)).damaged, [])
    const { path, why } = damage(root)
    const told = await verifyCheckouts(store, { repair: false })
    assert.deepEqual(
      told.damaged.map((one) => [one.cid.toString(), one.path, one.repaired]),
      [[cid.toString(), path, false]],
    )
    assert.match(told.damaged[0]!.why, why)
    const mended = await verifyCheckouts(store)
    assert.deepEqual(
      mended.damaged.map((one) => [one.path, one.repaired]),
      [[path, true]],
    )
    assert.deepEqual((await verifyCheckouts(store)).damaged, [])
    assert.deepEqual(describe(root), describe(source))
  })
}

test('a rotten file that two trees share is mended in both', async (t) => {
  const { store, source, cid } = await storeWith(t, ENTRIES)
  await checkOut(store, cid)
  writeFileSync(join(source, 'more'), 'more')
  const other = await add(store, source)
  await checkOut(store, other)
  const roots = [cid, other].map((one) => checkoutPath(store.paths, one))
  rot(join(roots[0]!, 'a'))
  assert.equal((await verifyCheckouts(store)).damaged.length, 2)
  for (const root of roots) assert.equal(readFileSync(join(root, 'a'), 'utf8'), '0123456789')
  assert.equal(lstatSync(join(roots[0]!, 'a')).ino, lstatSync(join(roots[1]!, 'a')).ino)
})

test('what its blocks are missing for is left as it is', async (t) => {
  const { store, source, cid } = await storeWith(t, ENTRIES)
  await checkOut(store, cid)
  store.blocks.delete(await add(store, join(source, 'a')))
  const root = checkoutPath(store.paths, cid)
  rot(join(root, 'a'))
  assert.deepEqual((await verifyCheckouts(store)).damaged, [])
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), '0123X56789')
})
