import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { askSocket } from '../../src/daemon/http.ts'
import { hasCode } from '../../src/errors.ts'
import { socketPath } from '../../src/files/socket.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

async function listening(t: TestContext, listener: RequestListener, file?: string): Promise<string> {
  const socket = file ?? join(await temporaryDirectory(t), 's')
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(socketPath(socket), resolve))
  t.after(() => server.close())
  return socket
}

test('gives the JSON of an answer', async (t) => {
  const socket = await listening(t, (req, res) => res.end(JSON.stringify({ asked: req.url })))
  assert.deepEqual(await askSocket(socket, '/status'), { asked: '/status' })
})

test('nobody there is undefined: no socket, or one that a dead process left', async (t) => {
  const socket = join(await temporaryDirectory(t), 's')
  assert.equal(await askSocket(socket, '/status'), undefined)
  assert.equal(await askSocket(join(socket, 'below'), '/status'), undefined)
})

const poor: Record<string, RequestListener> = {
  'another status': (_req, res) => res.writeHead(500).end('{}'),
  'a code that nobody knows': (_req, res) => res.writeHead(500).end('{"code":"toString","message":"x"}'),
  'no JSON': (_req, res) => res.end('hello'),
  'a cut connection': (_req, res) => res.writeHead(200).flushHeaders() ?? res.destroy(),
}

for (const [what, listener] of Object.entries(poor)) {
  test(`${what} is no good answer`, async (t) => {
    const socket = await listening(t, listener)
    await assert.rejects(askSocket(socket, '/status'), (error) => hasCode(error, 'NO_DAEMON'))
  })
}

test('what a daemon refuses with is thrown as it said it', async (t) => {
  const told = { type: 'error', code: 'NO_SPACE', message: 'the disk is full', hint: 'Free some.' }
  const socket = await listening(t, (_req, res) => res.writeHead(507).end(JSON.stringify(told)))
  await assert.rejects(askSocket(socket, '/v1/hello', { method: 'POST' }), (error) => {
    assert.ok(hasCode(error, 'NO_SPACE'))
    return error.message === told.message && error.hint === told.hint
  })
})

test('a process that never answers is waited for with a bound', async (t) => {
  const socket = join(await temporaryDirectory(t), 's')
  const server = createSocketServer(() => {})
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  t.after(() => server.close())
  await assert.rejects(askSocket(socket, '/', { timeoutMs: 50 }), (error) => hasCode(error, 'NO_DAEMON'))
})

test('the path of a socket may be longer than the kernel takes', async (t) => {
  const directory = join(await temporaryDirectory(t), 'long'.repeat(40))
  mkdirSync(directory)
  const socket = await listening(t, (_req, res) => res.end('{}'), join(directory, 's'))
  assert.deepEqual(await askSocket(socket, '/'), {})
})
