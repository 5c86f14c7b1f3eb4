import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from '../../src/daemon/limits/turns.ts'

const NEVER = new AbortController().signal

test('one at a time, and after each the next user', async () => {
  const turns = new Turns()
  const order: string[] = []
  let running = 0
  const ask = (uid: number, name: string) =>
    turns.take(uid, NEVER, async () => {
      assert.equal(++running, 1)
      order.push(name)
      await new Promise(setImmediate)
      running -= 1
    })
  // Eve has all her requests in before anybody else comes.
  const eve = Array.from({ length: 5 }, (_, at) => ask(1, `eve${at}`))
  await Promise.all([...eve, ask(2, 'anna0'), ask(3, 'bert0'), ask(2, 'anna1')])
  assert.deepEqual(order, ['eve0', 'eve1', 'anna0', 'bert0', 'eve2', 'anna1', 'eve3', 'eve4'])
})

test('who asks for much in pieces waits for the others between two of them', async () => {
  const turns = new Turns()
  const order: string[] = []
  const piece = (uid: number, name: string) => turns.take(uid, NEVER, async () => void order.push(name))
  const much = (async () => {
    for (let at = 0; at < 4; at++) await piece(1, 'much')
  })()
  await Promise.all([much, piece(2, 'one'), piece(3, 'one')])
  assert.ok(order.lastIndexOf('one') <= 3, order.join())
})

test('work that fails, and who gives up waiting, hold up nobody', async () => {
  const turns = new Turns()
  const fails = turns.take(1, NEVER, async () => {
    throw new Error('failed')
  })
  const gone = new AbortController()
  const waits = turns.take(2, gone.signal, async () => assert.fail('nobody waits for it any more'))
  const last = turns.take(2, NEVER, async () => 'done')
  gone.abort(new Error('gone'))
  await assert.rejects(fails, /failed/)
  await assert.rejects(waits, /gone/)
  assert.equal(await last, 'done')
  assert.equal(await turns.take(3, NEVER, async () => 'free'), 'free')
})
