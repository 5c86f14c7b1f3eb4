// How a mount server begins and ends, and what it leaves.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { mountAt, mountState, unmount } from '../../src/mount/mountpoint.ts'
import { Dag } from '../fixtures/dag.ts'
import { ask, errnoName, mountedStore, NO_MOUNT, spawnServer } from './mounted.ts'

const skip = NO_MOUNT

test('the mount is read-only, without devices and setuid, and open to others as far as permitted', {
  skip,
}, async (t) => {
  const mounted = await mountedStore(t)
  const { paths } = mounted.store
  assert.equal(mountState(paths), 'mounted')
  assert.equal(mountAt(paths.store)?.type, 'fuse.pkg')
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((text) => text.includes(paths.store))
  for (const option of ['ro', 'nosuid', 'nodev', 'default_permissions'])
    assert.match(line ?? '', new RegExp(`\\b${option}\\b`))
  assert.equal(line?.includes('allow_other'), process.getuid?.() === 0 || line?.includes('allow_other'))
})

test('what was read once is not asked for again', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const names = Array.from({ length: 200 }, (_, index) => `f${index}`)
  const root = dag.directory(
    names.map((name) => ({ name, cid: dag.raw(name.repeat(500)), tsize: name.length * 500 })),
  )
  await mounted.put(dag)
  const readAll = () => names.map((name) => readFileSync(mounted.path(root, name), 'utf8').length)
  const cold = readAll()
  const { requests } = await mounted.status()
  assert.deepEqual(readAll(), cold)
  assert.deepEqual((await mounted.status()).requests, requests)
})

test('SIGTERM, and the control socket, unmount and leave no files', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { paths } = mounted.store
  const gone = () => {
    assert.equal(mountState(paths), 'none')
    assert.ok(!existsSync(paths.mountPid) && !existsSync(paths.mountSocket))
  }
  assert.equal(await mounted.stop('SIGTERM'), 0)
  gone()
  await mounted.start()
  const { server } = mounted
  await ask(paths.mountSocket, 'POST', '/unmount')
  if (server?.exitCode === null) await once(server, 'exit')
  assert.equal(server?.exitCode, 0)
  gone()
})

test('a server whose mount somebody takes away ends', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { server } = mounted
  await unmount(mounted.store.paths.store)
  if (server?.exitCode === null) await once(server, 'exit')
  assert.equal(server?.exitCode, 0)
})

test('the stale mount of a killed server is seen without waiting, and replaced', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { paths } = mounted.store
  const dag = new Dag()
  const root = dag.raw('back')
  await mounted.put(dag)
  assert.equal(await mounted.stop('SIGKILL'), 'SIGKILL')
  assert.equal(mountState(paths), 'stale')
  assert.equal(
    errnoName(() => statSync(mounted.path(root))),
    'ENOTCONN',
  )
  await mounted.start()
  assert.equal(readFileSync(mounted.path(root), 'utf8'), 'back')
})

test('a second server leaves the first alone', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { pid } = await mounted.status()
  const second = spawnServer(mounted.store)
  await once(second, 'exit')
  assert.equal(second.exitCode, 1)
  assert.equal((await mounted.status()).pid, pid)
  assert.deepEqual(readdirSync(mounted.store.paths.store), [])
})

test('an unmount does not wait for a file that is open', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const root = dag.raw('open')
  await mounted.put(dag)
  const fd = openSync(mounted.path(root), 'r')
  try {
    const ended = await Promise.race([mounted.stop('SIGTERM'), delay(10_000, 'too long', { ref: false })])
    assert.equal(ended, 0)
    assert.equal(mountState(mounted.store.paths), 'none')
  } finally {
    // The server is gone, and close(2) says so.
    errnoName(() => closeSync(fd))
  }
})

test('a server whose mount was taken away leaves the next one, which has its device number', {
  skip,
}, async (t) => {
  const first = await mountedStore(t)
  const { pid } = await first.status()
  const { device } = mountAt(first.store.paths.store)!
  const gone = new Promise((resolve) => first.server?.once('exit', resolve))
  process.kill(pid, 'SIGSTOP')
  await unmount(first.store.paths.store)
  const next = await mountedStore(t)
  // The kernel gives the lowest number that is free: other mounts of the machine may get it before.
  if (mountAt(next.store.paths.store)?.device !== device) t.diagnostic('the number went elsewhere')
  process.kill(pid, 'SIGCONT')
  await gone
  assert.notEqual(mountAt(next.store.paths.store), undefined)
  assert.equal(mountState(next.store.paths), 'mounted')
})
