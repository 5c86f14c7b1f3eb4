// The API as somebody uses it who wants to take the daemon's time, memory and disk; and who is only slow.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Settled } from '../../src/collector/last-collection.ts'
import { listenApi } from '../../src/daemon/api/api.ts'
import { Admission } from '../../src/daemon/limits/admission.ts'
import { Quotas } from '../../src/daemon/limits/quota.ts'
import { hasCode } from '../../src/errors.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import { car, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const IDLE_MS = 400
const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can mount a small file system'

type Measured = { reached: number; now: number; settled?: Settled }

const quotas = (
  { blocks, config }: Store['paths'],
  bytes: number,
  measured: Measured = { reached: 0, now: 0 },
) => {
  writeFileSync(config, JSON.stringify({ 'uploads.quotaBytes': bytes, 'uploads.quotaPercent': 100 }))
  return new Quotas(
    { blocks, config },
    {
      measure: async () => measured.reached,
      lastSettled: () => measured.settled,
      now: () => measured.now,
    },
  )
}

/** `said`: what went wrong inside. */
async function api(t: TestContext, store: Store, said: string[] = []) {
  const log = (line: string) => void said.push(line)
  const status = async () => ({})
  const server = await listenApi(store.paths, { store, log, status, idleMs: IDLE_MS, shared: false })
  t.after(() => server.close())
}

function upload(store: Store): { req: ClientRequest; answer: Promise<IncomingMessage> } {
  const req = request({ socketPath: store.paths.daemonSocket, path: '/v1/import', method: 'POST' })
  const answer = new Promise<IncomingMessage>((resolve, reject) =>
    req.on('response', resolve).on('error', reject),
  )
  req.flushHeaders()
  return { req, answer }
}

test('a steady slow upload is taken, one that stalls is cut', async (t) => {
  const store = await temporaryStore(t)
  await api(t, store)
  const dag = new Dag()
  const root = dag.raw('slow')
  const bytes = car([root], dag.blocks.values())
  const { req, answer } = upload(store)
  const pieces = 12
  for (let piece = 0; piece < pieces; piece++) {
    const [from, to] = [piece, piece + 1].map((at) => Math.floor((bytes.length * at) / pieces))
    req.write(bytes.subarray(from, to))
    await delay(IDLE_MS / 4)
  }
  req.end()
  assert.match(await text(await answer), /"type":"done"/)
  assert.ok(store.blocks.has(root))

  const stalled = upload(store)
  stalled.req.write(bytes.subarray(0, 10))
  await assert.rejects(stalled.answer.then((res) => text(res)))
})

test('of many uploads at once a few are taken, and the others told to come again', async (t) => {
  const store = await temporaryStore(t)
  await api(t, store)
  const uploads = Array.from({ length: 24 }, () => upload(store))
  t.after(() => {
    for (const { req } of uploads) req.on('error', () => {}).destroy()
  })
  const answers = await Promise.all(uploads.map(({ answer }) => answer))
  const refused = answers.filter(({ statusCode }) => statusCode === 503)
  assert.equal(refused.length, 8)
  for (const res of refused) {
    assert.match(String(res.headers['retry-after']), /^[1-9]/)
    assert.equal(((await json(res)) as { code: string }).code, 'BUSY')
  }
})

test('imports share one amount of memory; who leaves makes room', async (t) => {
  const { paths } = await temporaryStore(t)
  const admission = new Admission(paths)
  const first = admission.enter(1)
  const alone = first.memoryBytes()
  const others = Array.from({ length: 15 }, () => admission.enter(1))
  assert.ok(first.memoryBytes() * 16 <= alone)
  assert.throws(
    () => admission.enter(1),
    (error) => hasCode(error, 'BUSY'),
  )
  for (const other of others) other.leave()
  others[0]?.leave()
  assert.equal(first.memoryBytes(), alone)
  admission.enter(1)
})

test('where users share a prefix none of them has all places', async (t) => {
  const { paths } = await temporaryStore(t)
  const admission = new Admission(paths, quotas(paths, 1e15))
  const own = Array.from({ length: 4 }, () => admission.enter(1))
  assert.throws(
    () => admission.enter(1),
    (error) => hasCode(error, 'BUSY') && /of this user/.test(error.message),
  )
  admission.enter(2)
  own[0]?.leave()
  admission.enter(1)
})

test('what counts for a user is what the last collection left and what came since, or what is reached', async (t) => {
  const { paths } = await temporaryStore(t)
  const measured: Measured = { reached: 0, now: 1000 }
  const collect = () => {
    measured.now += 2000
    measured.settled = { before: measured.now - 1000, ended: measured.now }
    measured.now += 1000
  }
  const admission = new Admission(paths, quotas(paths, 1000, measured))
  const takes = async (bytes: number): Promise<boolean> => {
    await admission.prepare(1)
    try {
      const admitted = admission.enter(1)
      try {
        admitted.checkSpace({ blocks: 0, bytes })
        admitted.wrote({ blocks: 0, bytes })
        return true
      } finally {
        admitted.leave()
      }
    } catch (error) {
      assert.ok(hasCode(error, 'NO_SPACE') && /uploads.quotaBytes/.test(error.hint ?? ''), String(error))
      return false
    }
  }
  assert.equal(await takes(700), true)
  assert.equal(await takes(200), true)
  // Let go of, but no collection came: it lies there.
  assert.equal(await takes(400), false)
  collect()
  assert.equal(await takes(400), true)
  measured.reached = 900
  collect()
  assert.equal(await takes(400), false)
  assert.equal(await takes(100), true)
  // What is protected while it is collected is not gone, whatever reaches it.
  measured.reached = 0
  const hold = admission.hold(1)
  collect()
  assert.equal(await takes(400), false)
  hold.end()
  assert.equal(await takes(400), false)
  measured.now += 1
  collect()
  assert.equal(await takes(400), true)
})

test('uploads of a user that are under way count together', async (t) => {
  const { paths } = await temporaryStore(t)
  const admission = new Admission(paths, quotas(paths, 1000))
  await admission.prepare(1)
  const [first, second] = [admission.enter(1), admission.enter(1)]
  first.checkSpace({ blocks: 0, bytes: 600 })
  assert.throws(
    () => second.checkSpace({ blocks: 0, bytes: 500 }),
    (error) => hasCode(error, 'NO_SPACE'),
  )
  await admission.prepare(2)
  admission.enter(2).checkSpace({ blocks: 0, bytes: 900 })
  // Many small ones are not for nothing.
  assert.throws(
    () => admission.enter(3).checkSpace({ blocks: 2, bytes: 2 }),
    (error) => hasCode(error, 'NO_SPACE'),
  )
})

test('where all places are taken one that hardly moves gives way; a steady one does not', async (t) => {
  const { paths } = await temporaryStore(t)
  writeFileSync(paths.config, JSON.stringify({ 'uploads.atOnce': 2, 'uploads.minBytesPerSecond': 1000 }))
  let now = 0
  const admission = new Admission(paths, undefined, () => now)
  const [stuck, steady] = [admission.enter(1), admission.enter(2)]
  now = 10_000
  stuck.checkSpace({ blocks: 0, bytes: 500 })
  steady.checkSpace({ blocks: 0, bytes: 50_000 })
  admission.enter(3)
  assert.deepEqual([stuck.signal.aborted, steady.signal.aborted], [true, false])
  assert.ok(hasCode(stuck.signal.reason, 'BUSY'))
  assert.throws(
    () => admission.enter(4),
    (error) => hasCode(error, 'BUSY'),
  )
})

test('a user may hold only so many uploads', async (t) => {
  const { paths } = await temporaryStore(t)
  writeFileSync(paths.config, JSON.stringify({ 'uploads.holdsPerUser': 2 }))
  const admission = new Admission(paths)
  const [one] = [admission.hold(1), admission.hold(1)]
  assert.throws(
    () => admission.hold(1),
    (error) => hasCode(error, 'BUSY'),
  )
  admission.hold(2)
  one?.end()
  one?.end()
  admission.hold(1)
})

test('nothing is taken where little is free', { skip: NOT_ROOT }, async (t) => {
  const directory = await temporaryDirectory(t)
  assert.equal(spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', directory]).status, 0)
  // Before the directory is removed, which the test's end does.
  try {
    const store = Store.open(join(directory, 'prefix'))
    await api(t, store)
    const { req, answer } = upload(store)
    req.end()
    const res = await answer
    assert.equal(res.statusCode, 507)
    assert.equal(((await json(res)) as { code: string }).code, 'NO_SPACE')
    store.close()
  } finally {
    spawnSync('/bin/umount', ['-l', directory])
  }
})

for (const path of ['//', 'http://[', '///', '/%', '*']) {
  test(`GET ${path} is refused, and no fault of ours`, async (t) => {
    const store = await temporaryStore(t)
    const said: string[] = []
    await api(t, store, said)
    const socketPath = store.paths.daemonSocket
    const res = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ socketPath, path }, resolve).on('error', reject).end()
    })
    const { code } = (await json(res)) as { code: string }
    assert.ok([400, 404].includes(res.statusCode ?? 0), `${res.statusCode}`)
    assert.ok(['USAGE', 'NOT_FOUND'].includes(code), code)
    assert.deepEqual(said, [])
  })
}
