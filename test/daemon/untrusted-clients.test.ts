// The API as somebody uses it who wants to take the daemon's time, memory and disk; and who is only slow.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Admission } from '../../src/daemon/admission.ts'
import { listenApi } from '../../src/daemon/api.ts'
import { hasCode } from '../../src/errors.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import { car, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const IDLE_MS = 400
const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can mount a small file system'

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
  const admission = new Admission(paths, { shared: true })
  const own = Array.from({ length: 4 }, () => admission.enter(1))
  assert.throws(
    () => admission.enter(1),
    (error) => hasCode(error, 'BUSY') && /of this user/.test(error.message),
  )
  admission.enter(2)
  own[0]?.leave()
  admission.enter(1)
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
