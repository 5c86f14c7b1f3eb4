// A prefix of root's without a mount: its daemon makes the trees that its users need.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CID } from '../../src/store/cid.ts'
import { makeProgram } from '../cli/harness.ts'
import { Dag } from '../fixtures/dag.ts'
import { laughingDirectory } from '../fixtures/hostile.ts'
import { putDag } from '../helpers/store.ts'
import { accounts } from '../users/accounts.ts'
import { hello, machine, WITHOUT_USERS } from '../users/machine.ts'

test('a user installs, runs, upgrades and rolls back by way of the daemon', {
  skip: WITHOUT_USERS,
}, async (t) => {
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const { root, anna, prefix, directory } = await accounts(t)
  stop = () => root.pkg('daemon', 'stop', '--force')
  mkdirSync(prefix, { recursive: true })
  writeFileSync(join(prefix, 'config.json'), '{"store.mode":"checkout"}')
  assert.equal((await root.pkg('init')).status, 0)
  await root.brief('daemon', 'start')
  const pack = (version: string) => {
    const source = makeProgram(join(directory, version), 'tool', version)
    return root.brief('pack', source, '--as', `tool@${version}`)
  }
  const says = async () => (await anna.run([join(anna.home, '.pkg-profile/bin/tool')])).stdout.trim()
  const [first, second] = [await pack('1.0.0'), await pack('2.0.0')]
  await anna.brief('init')
  await anna.brief('install', first)
  assert.equal(await says(), '1.0.0')
  await anna.brief('install', second)
  assert.equal(await says(), '2.0.0')
  // What is checked out already needs nobody.
  await root.brief('daemon', 'stop', '--force')
  await anna.brief('rollback')
  assert.equal(await says(), '1.0.0')
  await root.brief('daemon', 'start')
  assert.equal((await anna.pkg('run', second, '--', 'x')).stdout, '2.0.0 x\n')
  assert.ok(readdirSync(join(prefix, 'store')).length > 3)
})

test('the daemon checks out for known users, and nothing that unfolds to far more than its blocks', {
  skip: WITHOUT_USERS,
}, async (t) => {
  const { store, alice, paths, socketOf } = await machine(t, { 'store.mode': 'checkout' })
  const dag = new Dag()
  const laughing = laughingDirectory(dag, 20)
  const small = dag.raw('bytes')
  await putDag(store, dag)
  await hello({ paths }, alice)
  const ask = (socket: string, cid: CID) => {
    return alice.ask({ socket, method: 'POST', path: `/v1/checkout?cid=${cid}` })
  }
  assert.equal((await ask(paths.daemonSocket, small)).status, 403)
  assert.equal((await ask(socketOf(alice), small)).lines.at(-1)?.type, 'done')
  const { lines } = await ask(socketOf(alice), laughing)
  assert.match(`${lines.at(-1)?.code}`, /UNSUPPORTED|NO_SPACE/)
  const names = readdirSync(paths.store).filter((name) => name !== '.files')
  assert.deepEqual(names, [small.toV1().toString()])
})

test('many small trees in one request are bounded like one large tree', {
  skip: WITHOUT_USERS,
}, async (t) => {
  const { store, alice, paths, socketOf } = await machine(t, { 'store.mode': 'checkout' })
  const dag = new Dag()
  const leaf = { cid: dag.raw(new Uint8Array(64 * 1024).fill(7)), size: 64 * 1024 }
  // Each another file, of 8 MiB and more, and all of the same leaf.
  const files = Array.from({ length: 8 }, (_, more) => dag.file(Array(128 + more).fill(leaf)))
  await putDag(store, dag)
  await hello({ paths }, alice)
  const ask = (cids: readonly CID[]) => {
    const path = `/v1/checkout?${cids.map((cid) => `cid=${cid}`).join('&')}`
    return alice.ask({ socket: socketOf(alice), method: 'POST', path })
  }
  const { lines } = await ask(files)
  assert.equal(lines.at(-1)?.code, 'UNSUPPORTED')
  assert.deepEqual(readdirSync(paths.store), [])
  assert.equal((await ask(files.slice(0, 1))).lines.at(-1)?.type, 'done')
})
