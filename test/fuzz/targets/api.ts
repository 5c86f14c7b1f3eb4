// The daemon's sockets: any bytes, and requests with odd paths, queries, headers and CARs.

import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Api, listenApi } from '../../../src/daemon/api/api.ts'
import { socketPath } from '../../../src/files/socket.ts'
import { Store } from '../../../src/store/store.ts'
import { Dag } from '../../fixtures/dag.ts'
import { car } from '../../helpers/store.ts'
import { scratchDirectory } from '../scratch.ts'
import { bytesOf, type Target } from '../target.ts'

const scratch = scratchDirectory()
const store = Store.open(join(scratch, 'prefix'))
const dag = new Dag()
const root = dag.directory({ a: dag.raw('content'), l: dag.symlink('a') })
const body = Buffer.from(car([root], dag.blocks.values()))
const complaints: string[] = []
let listening: Promise<Api> | undefined
let runs = 0

const post = (path: string, more = '', content = body) =>
  Buffer.concat([
    bytesOf(
      `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${content.length}\r\nConnection: close\r\n\r\n`,
    ),
    content,
  ])
const get = (path: string, more = '') =>
  bytesOf(`GET ${path} HTTP/1.1\r\nHost: x\r\n${more}Connection: close\r\n\r\n`)
const chunked = Buffer.concat([
  bytesOf('POST /v1/import HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'),
  bytesOf(`${body.length.toString(16)}\r\n`),
  body,
  bytesOf('\r\n0\r\n\r\n'),
])

export const target: Target = {
  name: 'api',
  seeds: [
    get('/v1/status'),
    post('/v1/import'),
    post('/v1/import?protect=x'),
    chunked,
    get(`/ipfs/${root}?format=car`),
    get(`/ipfs/${root}`, 'Accept: application/vnd.ipld.raw\r\n'),
    get(`/ipfs/${root}/a?format=raw`),
    get('/ipfs/'),
    get('//'),
    get('http://x:99999/'),
    post('/v1/hello?uid=0', '', Buffer.alloc(0)),
    bytesOf('HEAD /v1/status HTTP/1.0\r\n\r\n'),
    Buffer.concat([get('/v1/status').subarray(0, -2), get('/v1/status')]),
  ],
  dictionary: [
    'GET ',
    'POST ',
    'HEAD ',
    'PUT ',
    ' HTTP/1.1\r\n',
    '\r\n\r\n',
    '/v1/',
    'import',
    '?hold=0',
    '&protect=',
    `${root}`,
    '?format=car',
    '%00',
    '%2e%2e',
    '..',
    '//',
    '?uid=-1',
    '?uid=1e9',
    'Content-Length: 9\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    'Range: bytes=0-1\r\n',
    `Accept: ${'x'.repeat(5000)}\r\n`,
  ].map(bytesOf),
  slowMs: 3000,
  async run(input) {
    const text = Buffer.from(input).toString('latin1')
    // A collection is a process of its own, and a held connection is held.
    if (text.includes('collect') || text.includes('hold')) return undefined
    listening ??= listenApi(store.paths, {
      store,
      shared: false,
      idleMs: 500,
      log: (line) => void complaints.push(line),
      status: async () => ({ format: 1 }),
    })
    await listening
    const outcome = firstLine(await exchange(input))
    assert.deepEqual(complaints.splice(0), [], 'the daemon blames itself')
    assert.ok(!outcome.startsWith('HTTP/1.1 500'))
    if (++runs % 50 === 0) {
      assert.match(firstLine(await exchange(get('/v1/status'))), / 200 /)
      // An import lets go after its answer.
      for (let look = 0; look < 100 && readdirSync(store.paths.tempPins).length > 0; look++) await delay(20)
      assert.deepEqual(readdirSync(store.paths.tempPins), [])
      assert.deepEqual(readdirSync(scratch), ['prefix'])
    }
    return outcome
  },
  async close() {
    await listening?.then((api) => api.close())
    store.close()
    rmSync(scratch, { recursive: true, force: true })
  },
}

function exchange(bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath(store.paths.daemonSocket), allowHalfOpen: true })
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(answer))
    socket.end(bytes)
  })
}

function firstLine(answer: string): string {
  assert.ok(answer === '' || answer.startsWith('HTTP/1.1 '), answer.slice(0, 100))
  const code = /"code":"(\w+)"/.exec(answer)?.[1] ?? ''
  return `${answer.slice(0, answer.indexOf('\r\n'))} ${code}`
}
