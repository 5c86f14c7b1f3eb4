// Who asks is who the kernel says: users' own sockets and directories.

import assert from 'node:assert/strict'
import { chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Dag } from '../fixtures/dag.ts'
import { car } from '../helpers/store.ts'
import { ALICE, EVE, hello, machine, NO_ACCOUNT, WITHOUT_USERS } from './machine.ts'

const skip = WITHOUT_USERS
const name = (uid: number) => `pkg-${uid}`

test('a machine with two users and root', { skip }, async (t) => {
  const there = await machine(t, { 'users.sockets': 2 })
  const { paths, alice, eve, socketOf, store } = there
  const dag = new Dag()
  const root = dag.raw('hello')
  const body = car([root], dag.blocks.values())
  const both = [paths.pinsPerUser, paths.profilesPerUser]

  await t.test('nobody but root makes an entry beside the users’ directories', async () => {
    for (const parent of [...both, paths.userSockets, paths.pins, paths.tempPins, paths.blocks]) {
      await assert.rejects(eve.fs('mkdirSync', join(parent, name(ALICE))), { code: 'EACCES' })
    }
  })
  await t.test('hello makes directories and a socket of that user, whoever says it', async () => {
    for (const who of [eve, alice, alice]) {
      const { status, lines } = await hello(there, who, ALICE)
      const made = { format: 1, uid: ALICE, name: name(ALICE), socket: socketOf(alice) }
      assert.deepEqual([status, lines[0]], [200, made])
    }
    for (const parent of both) {
      const { uid, gid, mode } = lstatSync(join(parent, name(ALICE)))
      assert.deepEqual([uid, gid, mode & 0o7777], [ALICE, ALICE, 0o755])
    }
    const { uid, mode } = lstatSync(socketOf(alice))
    assert.deepEqual([uid, mode & 0o7777], [ALICE, 0o600])
  })
  await t.test('another user cannot connect to it, replace or remove it', async () => {
    const asked = eve.ask({ socket: socketOf(alice), method: 'POST', path: '/v1/import', body })
    await assert.rejects(asked, { code: 'EACCES' })
    await assert.rejects(eve.fs('unlinkSync', socketOf(alice)), { code: 'EACCES' })
    await assert.rejects(eve.fs('renameSync', socketOf(alice), `${socketOf(alice)}2`), { code: 'EACCES' })
    await assert.rejects(alice.fs('unlinkSync', socketOf(alice)), { code: 'EACCES' })
  })
  await t.test('another user cannot write a user’s directories', async () => {
    for (const parent of both) {
      await assert.rejects(eve.fs('mkdirSync', join(parent, name(ALICE), 'x')), { code: 'EACCES' })
      await assert.rejects(eve.fs('renameSync', join(parent, name(ALICE)), join(parent, 'x')), {
        code: 'EACCES',
      })
    }
  })
  await t.test('at the public socket nobody adds or collects', async () => {
    for (const path of ['/v1/import', '/v1/collect']) {
      const { status, body: said } = await eve.ask({ socket: paths.daemonSocket, method: 'POST', path, body })
      assert.deepEqual([status, JSON.parse(said).code], [403, 'PERMISSION'])
    }
    assert.deepEqual([...store.blocks.list()], [])
  })
  for (const [claim, status] of [
    [`uid=${NO_ACCOUNT}`, 403],
    ['uid=4294967295', 400],
    ['uid=-1', 400],
    ['uid=64001x', 400],
    ['uid=../eve', 400],
    ['uid=', 400],
    ['', 400],
  ] as const) {
    await t.test(`hello?${claim} is refused, and makes nothing`, async () => {
      const before = readdirSync(paths.pinsPerUser)
      const path = `/v1/hello?${claim}`
      assert.equal((await eve.ask({ socket: paths.daemonSocket, method: 'POST', path })).status, status)
      assert.deepEqual(readdirSync(paths.pinsPerUser), before)
    })
  }
  await t.test('at their own socket a user adds; the connection protects it', async () => {
    const path = '/v1/import?hold=1'
    const { lines } = await alice.ask({ socket: socketOf(alice), method: 'POST', path, body, hold: true })
    assert.equal(lines.at(-1)?.type, 'done')
    assert.ok(store.blocks.has(root))
    assert.equal(readdirSync(paths.tempPins).length, 1)
    await alice.drop()
  })
  await t.test('a directory that is somebody else’s is refused, and left as it is', async () => {
    const directory = join(paths.pinsPerUser, name(EVE))
    mkdirSync(directory)
    chownSync(directory, ALICE, ALICE)
    const { status, body: said } = await hello(there, eve)
    assert.equal(status, 403)
    assert.match(JSON.parse(said).message, new RegExp(`belongs to uid ${ALICE}.*${EVE}`))
    assert.equal(lstatSync(directory).uid, ALICE)
    chownSync(directory, EVE, EVE)
    assert.equal((await hello(there, eve)).status, 200)
  })
  await t.test('a user has a collection made, and learns figures only', async () => {
    const { lines } = await alice.ask({ socket: socketOf(alice), method: 'POST', path: '/v1/collect' })
    const { type, ...figures } = lines.at(-1) as { type: string }
    assert.equal(type, 'done', there.said())
    // Others' paths and CIDs would be texts.
    assert.ok('blocks' in figures && Object.values(figures).every((figure) => typeof figure === 'number'))
  })
  await t.test(
    'sockets are bounded: the one that was not used for longest goes, and comes back',
    async () => {
      const asked = () => alice.ask({ socket: socketOf(alice), method: 'GET', path: '/v1/status' })
      assert.equal((await asked()).status, 200)
      await hello(there, eve, 0)
      assert.deepEqual(readdirSync(paths.userSockets).sort(), ['0.sock', `${ALICE}.sock`])
      await hello(there, eve, 65534)
      await assert.rejects(asked(), { code: 'ENOENT' })
      await hello(there, alice)
      assert.equal((await asked()).status, 200)
    },
  )
  await t.test('after a restart of the daemon sockets come back on hello', async () => {
    await there.restart()
    assert.deepEqual(readdirSync(paths.userSockets), [])
    assert.equal((await hello(there, alice)).status, 200)
    assert.equal(
      (await alice.ask({ socket: socketOf(alice), method: 'POST', path: '/v1/import', body })).lines.at(-1)
        ?.type,
      'done',
    )
  })
})
