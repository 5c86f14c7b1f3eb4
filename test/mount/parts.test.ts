// The mount's parts that need no kernel.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { PkgError } from '../../src/errors.ts'
import { BlockCache } from '../../src/mount/block-cache.ts'
import { NotLoaded } from '../../src/mount/later.ts'
import { parseMountinfo } from '../../src/mount/mountpoint.ts'
import type { ReadResult } from '../../src/mount/readers.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import type { CID } from '../../src/store/cid.ts'

/** Blocks of `size` bytes that count how often each batch is read. */
function source(size: number, count: number) {
  const blocks = Array.from({ length: count }, (_, index) => Buffer.alloc(size, index))
  const cids = blocks.map(rawCid)
  const asked: CID[][] = []
  const failing = new Set<string>()
  return {
    cids,
    asked,
    failing,
    recycled: 0,
    recycle(buffer: ArrayBuffer) {
      this.recycled++
      structuredClone(buffer, { transfer: [buffer] })
    },
    async blocks(wanted: readonly CID[]): Promise<ReadResult[]> {
      asked.push([...wanted])
      return wanted.map((cid) =>
        failing.has(String(cid))
          ? new PkgError('MISSING_BLOCK', String(cid))
          : Uint8Array.from(blocks[cids.findIndex((known) => known.equals(cid))] as Buffer),
      )
    },
  }
}

test('mountinfo: octal escapes, optional fields, only whole lines', () => {
  const text = [
    '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue',
    '42 27 0:39 / /tmp/a\\134b ro,nosuid shared:7 propagate_from:2 - fuse.pkg ipfs ro,user_id=0',
    'broken line',
    '',
  ].join('\n')
  assert.deepEqual(parseMountinfo(text), [
    {
      id: '36',
      parent: '35',
      device: '98:0',
      mountpoint: '/mnt 2',
      type: 'ext3',
      source: '/dev/root',
      options: ['rw', 'errors=continue'],
    },
    {
      id: '42',
      parent: '27',
      device: '0:39',
      mountpoint: '/tmp/a\\b',
      type: 'fuse.pkg',
      source: 'ipfs',
      options: ['ro', 'user_id=0'],
    },
  ])
})

test('the cache keeps within its bound, and lets the longest unused go first', async () => {
  const from = source(1000, 10)
  const cache = new BlockCache(from, { bytes: 5 * 1300 })
  const [first, ...others] = from.cids as [CID, ...CID[]]
  for (const cid of others.slice(0, 4)) await cache.load(cid)
  await cache.load(first)
  cache.get(others[0] as CID)
  for (const cid of others.slice(4, 7)) await cache.load(cid)
  assert.ok(cache.counts.bytes <= 5 * 1300)
  assert.ok(cache.peek(first) && cache.peek(others[0] as CID))
  assert.equal(cache.peek(others[1] as CID), undefined)
})

test('one block asked for many times at once is read once', async () => {
  const from = source(10, 1)
  const cache = new BlockCache(from, { bytes: 1000 })
  const [cid] = from.cids as [CID]
  cache.ahead([cid, cid])
  await Promise.all([cache.load(cid), cache.load(cid), cache.load(cid)])
  assert.equal(from.asked.length, 1)
})

test('a failure is not remembered', async () => {
  const from = source(10, 1)
  const cache = new BlockCache(from, { bytes: 1000 })
  const [cid] = from.cids as [CID]
  from.failing.add(String(cid))
  cache.ahead([cid])
  await assert.rejects(cache.load(cid), { code: 'MISSING_BLOCK' })
  from.failing.clear()
  assert.equal((await cache.load(cid)).length, 10)
})

test('a computation goes on after each block it lacked, however small the cache', async () => {
  const from = source(1000, 20)
  const cache = new BlockCache(from, { bytes: 1 })
  let runs = 0
  const sum = await cache.with((getter) => {
    runs++
    return from.cids.reduce((total, cid) => total + getter.get(cid).length, 0)
  })
  assert.equal(sum, 20_000)
  assert.equal(runs, 21)
  assert.throws(
    () => cache.get(from.cids[0] as CID),
    (error) => error instanceof NotLoaded,
  )
})

const LARGE = 300_000

test('what was given stays whole when the same block is let go of elsewhere', async () => {
  const from = source(LARGE, 2)
  const cache = new BlockCache(from, { bytes: 10 * LARGE })
  const [asked, looked] = from.cids as [CID, CID]
  const waiting = cache.load(asked)
  await cache.loadLent(looked)
  const given = [await waiting, cache.get(looked)]
  for (const cid of from.cids) cache.release(cid)
  await setImmediate()
  assert.deepEqual(
    given.map(({ length }) => length),
    [LARGE, LARGE],
  )
  assert.equal(from.recycled, 0)
})

test('what was only lent is used again, after those who waited for it have run', async () => {
  const from = source(LARGE, 1)
  const cache = new BlockCache(from, { bytes: 10 * LARGE })
  const [cid] = from.cids as [CID]
  const seen = Array.from({ length: 3 }, async () => {
    const { length } = await cache.loadLent(cid)
    cache.release(cid)
    return length
  })
  assert.deepEqual(await Promise.all(seen), [LARGE, LARGE, LARGE])
  await setImmediate()
  assert.equal(from.recycled, 1)
  assert.throws(
    () => cache.lend(cid),
    (error) => error instanceof NotLoaded,
  )
})
