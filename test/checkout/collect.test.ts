// Checkouts and the collector: what no root reaches goes, and nothing else.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { addPin } from '../../src/pins/pins.ts'
import { diskUsage } from '../../src/profiles/disk-usage.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { checkoutPath, poolDirectory, temporaryTree } from '../../src/store/checkout/names.ts'
import type { DiskEntry } from '../helpers/disk-tree.ts'
import { add, storeWith } from './trees.ts'

const ENTRIES: DiskEntry[] = [
  { path: 'bin/x', content: Buffer.from('#!/bin/sh\nsleep 60\n'), executable: true },
  { path: 'a', content: Buffer.from('0123456789') },
]

/** Without the grace time for fresh blocks. */
const NOW = { graceMs: 0 }

test('a checkout goes with the last root of its DAG, and its files with it', async (t) => {
  const { store, source, cid } = await storeWith(t, ENTRIES)
  await checkOut(store, cid)
  writeFileSync(join(source, 'b'), 'b')
  const kept = await add(store, source)
  await checkOut(store, kept)
  await addPin(store, { prog: 'kept', cid: kept })
  const plan = await runCollection(store, {}, { ...NOW, dryRun: true })
  assert.equal(plan.checkouts, 1)
  // The other tree has its files too.
  assert.equal(plan.checkoutBytes, 0)
  const done = await runCollection(store, {}, NOW)
  assert.equal(done.checkouts, 1)
  assert.deepEqual(readdirSync(store.paths.store).sort(), ['.files', kept.toString()])
  assert.equal(readFileSync(join(checkoutPath(store.paths, kept), 'a'), 'utf8'), '0123456789')
  assert.equal(readdirSync(poolDirectory(store.paths)).length, 3)
})

test('a dry run says exactly which bytes of trees would go', async (t) => {
  const { store, cid } = await storeWith(t, [
    ...ENTRIES,
    { path: 'again', content: Buffer.from('0123456789') },
  ])
  await checkOut(store, cid)
  const plan = await runCollection(store, {}, { ...NOW, dryRun: true })
  assert.equal(plan.checkoutBytes, 10 + 19)
  const done = await runCollection(store, {}, NOW)
  assert.equal(done.checkoutBytes, plan.checkoutBytes)
  assert.deepEqual(readdirSync(poolDirectory(store.paths)), [])
})

test('a temp pin keeps a checkout', async (t) => {
  const { store, cid } = await storeWith(t, ENTRIES)
  await withAdd(store, async (session) => {
    await session.rely(cid)
    await checkOut(store, cid)
    assert.equal((await runCollection(store, {}, NOW)).checkouts, 0)
    assert.ok(lstatSync(checkoutPath(store.paths, cid)))
  })
})

test('who finds a checkout while a collection runs keeps it, though it was dead at the mark', async (t) => {
  const { store, cid } = await storeWith(t, ENTRIES)
  await checkOut(store, cid)
  let session: ReturnType<typeof store.openAdd> | undefined
  const claim = async (point: string) => {
    if (point !== 'synced') return
    session = store.openAdd()
    await session.begin()
    await session.rely(cid)
    assert.equal((await checkOut(store, cid)).made.length, 0)
  }
  const { checkouts } = await runCollection(store, {}, { ...NOW, at: claim })
  assert.ok(session)
  assert.equal(checkouts, 0)
  assert.ok(lstatSync(join(checkoutPath(store.paths, cid), 'bin/x')))
  session.close()
  assert.equal((await runCollection(store, {}, NOW)).checkouts, 1)
})

test('a program that runs from a checkout keeps it', async (t) => {
  const { store, cid } = await storeWith(t, ENTRIES)
  await checkOut(store, cid)
  const running = spawn(join(checkoutPath(store.paths, cid), 'bin', 'x'), { stdio: 'ignore', detached: true })
  await once(running, 'spawn')
  try {
    assert.equal((await runCollection(store, {}, NOW)).checkouts, 0)
  } finally {
    process.kill(-(running.pid as number), 'SIGKILL')
    await once(running, 'exit')
  }
  assert.equal((await runCollection(store, {}, NOW)).checkouts, 1)
})

test('what a killed process left unfinished goes, and what a living one makes stays', async (t) => {
  const { store } = await storeWith(t, ENTRIES)
  const mine = temporaryTree(store.paths)
  mkdirSync(mine)
  const dead = mine.replace(/tmp-\d+-\d+/, 'tmp-1-1')
  mkdirSync(join(dead, 'sub'), { recursive: true })
  mkdirSync(join(store.paths.store, '.dead-0123'))
  await runCollection(store, {}, NOW)
  assert.deepEqual(readdirSync(store.paths.store), [mine.slice(store.paths.store.length + 1)])
})

test('du counts checkouts: files that trees share once, and all of it in what is on the disk', async (t) => {
  const { store, source, cid } = await storeWith(t, [
    ...ENTRIES,
    { path: 'large', content: Buffer.alloc(100_000, 'x') },
  ])
  const before = await diskUsage(store)
  assert.deepEqual(
    [before.checkouts.trees, before.onDisk],
    [0, before.total.diskBytes + before.checkouts.diskBytes],
  )
  await checkOut(store, cid)
  writeFileSync(join(source, 'b'), 'b')
  await checkOut(store, await add(store, source))
  const { checkouts, total, onDisk } = await diskUsage(store)
  assert.deepEqual([checkouts.trees, checkouts.files, checkouts.bytes], [2, 4, 100_000 + 10 + 19 + 1])
  const { stdout } = spawnSync('du', ['-s', '--block-size=1', store.paths.store], { encoding: 'utf8' })
  // The directory `store` itself is there without any checkout.
  const { blocks } = lstatSync(store.paths.store)
  assert.equal(checkouts.diskBytes, Number.parseInt(stdout, 10) - blocks * 512)
  assert.equal(onDisk, total.diskBytes + checkouts.diskBytes)
})
