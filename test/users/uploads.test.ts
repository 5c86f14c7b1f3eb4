// Uploads of users who mean harm: each is refused, in bounded time and memory, and others go on.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import { until } from '../daemon/prefix.ts'
import { Dag } from '../fixtures/dag.ts'
import { car } from '../helpers/store.ts'
import { hello, machine, type Reply, type User, WITHOUT_USERS } from './machine.ts'

const MIB = 1024 * 1024

const raw = (text: string) => {
  const dag = new Dag()
  const cid = dag.raw(text)
  return { cid, body: car([cid], dag.blocks.values()) }
}

const settings = {
  'uploads.quotaBytes': 8 * MIB,
  'uploads.quotaPercent': 100,
  'uploads.atOncePerUser': 3,
  'uploads.holdsPerUser': 2,
  'uploads.holdSeconds': 1,
  'users.connections': 12,
  'users.publicConnections': 8,
}

test('uploads of users who mean harm', { skip: WITHOUT_USERS }, async (t) => {
  const there = await machine(t, settings)
  const { paths, alice, eve, socketOf, store, daemonPid } = there
  await hello(there, alice)
  await hello(there, eve)
  const post = (user: User, body: Uint8Array, query = ''): Promise<Reply> =>
    user.ask({ socket: socketOf(user), method: 'POST', path: `/v1/import${query}`, body })
  const codeOf = ({ lines }: Reply) => lines.at(-1)?.code ?? lines.at(-1)?.type
  const memory = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemonPid()}/status`, 'latin1'))?.[1]) * 1024
  let round = 0
  const aliceAdds = async () => {
    const { cid, body } = raw(`alice ${round++}`)
    assert.equal(codeOf(await post(alice, body)), 'done')
    assert.ok(store.blocks.has(cid))
  }
  await aliceAdds()

  await t.test('a block whose bytes do not hash to its CID', async () => {
    const { cid } = raw('right')
    const forged = car([cid], [{ cid, bytes: Buffer.from('wrong') }])
    assert.equal(codeOf(await post(eve, forged)), 'BAD_CAR')
    assert.equal(store.blocks.has(cid), false)
  })
  await t.test('bytes of another user’s package under its CID', async () => {
    const { cid, body } = raw('package')
    await post(alice, body)
    assert.equal(codeOf(await post(eve, car([cid], [{ cid, bytes: Buffer.from('evil') }]))), 'BAD_CAR')
    assert.equal(Buffer.from(store.blocks.get(cid)).toString(), 'package')
  })
  await t.test('a header that says it is larger than memory', async () => {
    const lie = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])
    assert.equal(codeOf(await post(eve, lie)), 'BAD_CAR')
  })
  await t.test('a block that says it is larger than memory', async () => {
    const { cid } = raw('x')
    const body = Buffer.concat([car([cid], []), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])])
    assert.equal(codeOf(await post(eve, body)), 'BAD_CAR')
  })
  await t.test('a header of many roots', async () => {
    const { cid } = raw('root')
    const before = memory()
    const body = car(
      Array.from({ length: 100_000 }, () => cid),
      [],
    )
    assert.equal(codeOf(await post(eve, body)), 'BAD_CAR')
    assert.ok(memory() - before < 100 * MIB)
  })
  await t.test('an upload beyond the quota: nothing of it is kept, and the user may have less', async () => {
    const before = [...store.blocks.list()].length
    const dag = new Dag()
    for (let part = 0; part < 12; part++) dag.raw(String(part).padEnd(MIB))
    const reply = await post(eve, car([], dag.blocks.values()))
    assert.equal(codeOf(reply), 'NO_SPACE')
    assert.equal([...store.blocks.list()].length, before)
    assert.equal(codeOf(await post(eve, raw('little').body)), 'done')
    await aliceAdds()
  })
  await t.test('more blocks of a byte than the quota has room for', async () => {
    const dag = new Dag()
    for (let part = 0; part < 4000; part++) dag.raw(String(part))
    assert.equal(codeOf(await post(eve, car([], dag.blocks.values()))), 'NO_SPACE')
  })
  await t.test('more protected than one request may have, or what is no CID', async () => {
    const many = Array.from({ length: 129 }, (_, index) => `protect=${raw(`${index}`).cid}`).join('&')
    assert.equal((await post(eve, raw('x').body, `?${many}`)).status, 400)
    assert.equal((await post(eve, raw('x').body, '?protect=../../etc/passwd')).status, 400)
  })
  await t.test('protecting what is not whole here', async () => {
    const reply = await post(eve, car([], []), `?protect=${raw('nowhere').cid}`)
    assert.equal(codeOf(reply), 'INCOMPLETE')
  })
  await t.test('a CAR with a header only protects what is here', async () => {
    const { cid, body } = raw('here')
    await post(alice, body)
    const reply = await eve.ask({
      socket: socketOf(eve),
      method: 'POST',
      path: `/v1/import?hold=1&protect=${cid}`,
      body: car([], []),
      hold: true,
    })
    assert.equal(codeOf(reply), 'done')
    const held = readTempPins(paths).flatMap(({ dags }) => dags.map(String))
    assert.deepEqual([...new Set(held)], [String(cid)])
    await eve.drop()
  })
  await t.test('uploads without end: a few are taken, others refused, and alice adds', async () => {
    const { body } = raw('stalled')
    for (let one = 0; one < 3; one++) {
      await eve.ask({
        socket: socketOf(eve),
        method: 'POST',
        path: '/v1/import',
        body: body.subarray(0, 20),
        endless: true,
      })
    }
    const refused = await untilRefused(() => post(eve, body))
    assert.deepEqual([refused.status, JSON.parse(refused.body).code], [503, 'BUSY'])
    await aliceAdds()
    await eve.drop()
    await until('what was cut leaves its places', async () => (await post(eve, body)).status === 200)
  })
  await t.test('more held than a user may hold: refused, and what is held ends by itself', async () => {
    const { body } = raw('held')
    const held = () =>
      eve.ask({ socket: socketOf(eve), method: 'POST', path: '/v1/import?hold=1', body, hold: true })
    assert.deepEqual([codeOf(await held()), codeOf(await held())], ['done', 'done'])
    assert.equal((await held()).status, 503)
    await aliceAdds()
    while (readTempPins(paths).length > 0) await new Promise((resolve) => setTimeout(resolve, 50))
    await eve.drop()
  })
  await t.test(
    'more connections than there are places: the public socket answers, and so does alice’s',
    async () => {
      for (const socket of [paths.daemonSocket, socketOf(eve)]) {
        for (let one = 0; one < 40; one++) {
          await eve.ask({ socket, method: 'POST', path: '/v1/nothing', endless: true }).catch(() => {})
        }
      }
      assert.equal((await hello(there, alice)).status, 200)
      await aliceAdds()
      await eve.drop()
    },
  )
  await t.test('nothing is left of it all', async () => {
    await aliceAdds()
    assert.deepEqual(readTempPins(paths), [])
    assert.deepEqual(readdirSync(paths.blocksTemp), [])
    assert.doesNotMatch(there.said(), /Error/)
  })
})

/** The others are on their way. */
async function untilRefused(ask: () => Promise<Reply>): Promise<Reply> {
  for (;;) {
    const reply = await ask()
    if (reply.status !== 200) return reply
  }
}
