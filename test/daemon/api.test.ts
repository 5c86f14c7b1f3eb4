// The API on a socket, with a store behind it and no mount.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { listenApi } from '../../src/daemon/api/api.ts'
import type { ImportLine } from '../../src/daemon/api/import.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import { exportCar } from '../../src/store/car/write.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

type Answer = { status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }

async function api(t: TestContext, name = 'ipfs'): Promise<Store> {
  const store = Store.open(join(await temporaryDirectory(t), name))
  const log = (text: string) => t.diagnostic(text)
  // As in a prefix of one's own, whoever runs this: users of root's have sockets of their own (test/users).
  const server = await listenApi(store.paths, {
    store,
    log,
    status: async () => ({ format: 1 }),
    shared: false,
  })
  t.after(() => {
    server.close()
    store.close()
  })
  return store
}

type Ask = { method?: string; body?: AsyncIterable<Uint8Array>; headers?: Record<string, string> }

function ask(store: Store, path: string, { method = 'GET', body, headers = {} }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath: store.paths.daemonSocket, path, method, headers }, async (res) => {
      resolve({ status: res.statusCode ?? 0, headers: res.headers, body: await buffer(res) })
    })
    req.on('error', reject)
    void send(req, body)
  })
}

async function send(req: NodeJS.WritableStream, body: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  for await (const chunk of body ?? []) req.write(chunk)
  req.end()
}

const linesOf = ({ body }: Answer): ImportLine[] =>
  body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ImportLine)

async function addTree(store: Store, content: string) {
  return await withAdd(store, async (add) => {
    const { cid } = await buildTree(add, [{ path: 'file', content: Buffer.from(content) }])
    await add.commit([cid])
    return cid
  })
}

test('status is JSON', async (t) => {
  const { status, body } = await ask(await api(t), '/v1/status')
  assert.equal(status, 200)
  assert.deepEqual(JSON.parse(body.toString()), { format: 1 })
})

test('format=raw gives the block, cacheable for ever', async (t) => {
  const store = await api(t)
  const cid = await addTree(store, 'hello')
  const { status, headers, body } = await ask(store, `/ipfs/${cid}?format=raw`)
  assert.equal(status, 200)
  assert.deepEqual(body, Buffer.from(store.blocks.get(cid)))
  assert.equal(headers['content-type'], 'application/vnd.ipld.raw')
  assert.match(String(headers['cache-control']), /immutable/)
})

test('the format may be asked for by an Accept header', async (t) => {
  const store = await api(t)
  const cid = await addTree(store, 'hello')
  const { headers } = await ask(store, `/ipfs/${cid}`, { headers: { Accept: 'application/vnd.ipld.car' } })
  assert.match(String(headers['content-type']), /^application\/vnd\.ipld\.car/)
})

const refused: [string, number][] = [
  ['/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy?format=raw', 404],
  ['/ipfs/nonsense?format=raw', 400],
  ['/ipfs/bafkqaaa/a/path?format=raw', 400],
  ['/ipfs/bafkqaaa?format=tar', 400],
  ['/ipfs/bafkqaaa', 400],
  ['/ipfs/%ff?format=raw', 400],
  ['/else', 404],
]

test('what cannot be served is refused with a status and a code', async (t) => {
  const store = await api(t)
  for (const [path, expected] of refused) {
    await t.test(`GET ${path}: ${expected}`, async () => {
      const { status, body } = await ask(store, path)
      assert.equal(status, expected)
      assert.ok(JSON.parse(body.toString()).code)
    })
  }
})

test('a DAG that goes out as a CAR comes in as a CAR', async (t) => {
  const [from, to] = [await api(t, 'a'), await api(t, 'b')]
  const cid = await addTree(from, 'hello')
  const car = await ask(from, `/ipfs/${cid}?format=car`)
  const answer = await ask(to, '/v1/import', { method: 'POST', body: oneChunk(car.body) })
  assert.deepEqual(linesOf(answer).at(-1), {
    type: 'done',
    roots: [String(cid)],
    complete: [String(cid)],
    blocks: 2,
    bytes: (linesOf(answer).at(-1) as { bytes: number }).bytes,
  })
  assert.deepEqual(to.blocks.get(cid), from.blocks.get(cid))
  assert.deepEqual(readTempPins(to.paths), [])
})

test('a CAR with a wrong bit is refused, and nothing of it is kept', async (t) => {
  const [from, to] = [await api(t, 'a'), await api(t, 'b')]
  const car = await buffer(exportCar(from, await addTree(from, 'hello')))
  car.writeUInt8(car.readUInt8(car.length - 1) ^ 1, car.length - 1)
  const answer = await ask(to, '/v1/import', { method: 'POST', body: oneChunk(car) })
  assert.equal((linesOf(answer).at(-1) as { code: string }).code, 'BAD_CAR')
  assert.deepEqual([...to.blocks.list()], [])
})

test('a held import protects its roots until the client lets go', async (t) => {
  const [from, to] = [await api(t, 'a'), await api(t, 'b')]
  const cid = await addTree(from, 'hello')
  const req = request({ socketPath: to.paths.daemonSocket, path: '/v1/import?hold=1', method: 'POST' })
  const done = new Promise<void>((resolve, reject) => {
    req.on('error', reject)
    req.on('response', (res) => res.on('data', (data) => String(data).includes('"done"') && resolve()))
  })
  await send(req, exportCar(from, cid))
  await done
  assert.deepEqual(
    readTempPins(to.paths).flatMap(({ dags }) => dags.map(String)),
    [String(cid)],
  )
  req
    .removeAllListeners('error')
    .on('error', () => {})
    .destroy()
  while (readTempPins(to.paths).length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
})

async function* oneChunk(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

test('settings that become wrong cut nobody off', async (t) => {
  const store = await api(t)
  writeFileSync(store.paths.config, '{"users.publicConnections": "many"}')
  assert.equal((await ask(store, '/v1/status')).status, 200)
})
