// Requests that end in a way that is nobody's fault here: the log stays empty.

import assert from 'node:assert/strict'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { listenApi } from '../../src/daemon/api/api.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

async function api(t: TestContext): Promise<{ store: Store; log: string[] }> {
  const store = Store.open(join(await temporaryDirectory(t), 'ipfs'))
  const log: string[] = []
  const server = await listenApi(store.paths, {
    store,
    log: (line) => void log.push(line),
    status: async () => ({}),
  })
  t.after(() => {
    server.close()
    store.close()
  })
  return { store, log }
}

test('a client that goes away while a DAG is sent is no error of the daemon', async (t) => {
  const { store, log } = await api(t)
  const dag = new Dag()
  const leaves = Array.from({ length: 8 }, (_, index) => dag.raw(Buffer.alloc(1024 * 1024, index)))
  const root = dag.directory(leaves.map((cid, index) => ({ cid, name: `${index}` })))
  await putDag(store, dag)
  await new Promise<void>((resolve) => {
    const req = request({ socketPath: store.paths.daemonSocket, path: `/ipfs/${root}?format=car` }, (res) => {
      res.once('data', () => req.destroy())
      res.once('close', resolve)
      res.on('error', () => {})
    })
    req.on('error', () => {})
    req.end()
  })
  // Its answer comes after the daemon noticed that the first client is gone.
  for (let asked = 0; asked < 3; asked++) await ask(store, '/v1/status')
  assert.deepEqual(log, [])
})

test('a DAG that is not whole is refused with words, before its first byte', async (t) => {
  const { store, log } = await api(t)
  const dag = new Dag()
  const root = dag.directory({ here: dag.raw('here'), lost: new Dag().raw('lost') })
  await putDag(store, dag)
  const { status, body } = await ask(store, `/ipfs/${root}?format=car`)
  assert.equal(status, 404)
  assert.equal(JSON.parse(body).code, 'INCOMPLETE')
  assert.deepEqual(log, [])
})

function ask(store: Store, path: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath: store.paths.daemonSocket, path }, async (res) => {
      resolve({ status: res.statusCode, body: String(await buffer(res)) })
    })
    req.on('error', reject)
    req.end()
  })
}
