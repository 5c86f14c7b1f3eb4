// Adding to a prefix of root's through its daemon, step by step, with a collector and kills in between.

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import { type CID, parseCid } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { hasAll } from '../../src/store/links/closure.ts'
import { Store } from '../../src/store/store.ts'
import { until } from '../daemon/prefix.ts'
import { type Accounts, accounts, type Person } from './accounts.ts'
import { WITHOUT_USERS } from './machine.ts'

const skip = WITHOUT_USERS
const file = (name: string) => join(import.meta.dirname, name)

type System = Accounts & { store: Store; daemon: ChildProcess; start(): Promise<ChildProcess> }

/** A prefix of root's with the daemon's API, without a mount. */
async function system(t: TestContext, settings: object = {}): Promise<System> {
  let end: () => unknown = () => {}
  t.after(() => end())
  const all = await accounts(t)
  const store = Store.open(all.prefix)
  t.after(() => store.close())
  writeFileSync(store.paths.config, JSON.stringify(settings))
  const start = async () => {
    const child = all.root.spawn([process.execPath, file('server.ts'), all.prefix])
    child.stderr?.pipe(process.stderr)
    const [ready] = await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')])
    if (!String(ready).includes('READY')) throw new Error('the daemon did not start')
    system.daemon = child
    return child
  }
  const system = { ...all, store, start } as System
  await start()
  end = async () => {
    system.daemon.stdin?.end()
    if (system.daemon.exitCode === null && system.daemon.signalCode === null)
      await once(system.daemon, 'exit')
  }
  return system
}

/** A process of adder.ts. */
class Adder {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor({ prefix }: System, person: Person, ...words: string[]) {
    this.child = person.spawn([process.execPath, file('adder.ts'), prefix, ...words])
    this.child.stderr?.pipe(process.stderr)
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  /** What it says next. */
  async said(): Promise<string> {
    return String((await this.#lines.next()).value)
  }

  /** Has it go on; gives what it says then. */
  goOn(): Promise<string> {
    this.child.stdin?.write('\n')
    return this.said()
  }

  /** Kills it in the hardest way. */
  async kill(): Promise<void> {
    // The shell before it became setpriv, and that became Node.
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }
}

/** A file of the person's with these bytes; two of different text have no block in common. */
function fileOf({ home, uid }: Person, text: string, bytes = 3_000_000): string {
  const path = join(home, `file-${text}`)
  writeFileSync(path, Buffer.alloc(bytes, text))
  chownSync(path, uid, uid)
  return path
}

const cidOf = (said: string): CID => parseCid(said.split(' ')[1] as string)
const collect = (store: Store) => runCollection(store, {}, { graceMs: 0 })

/** True when a collection takes the block. */
async function collected(store: Store, cid: CID): Promise<boolean> {
  await collect(store)
  return !store.blocks.has(cid)
}

test('what was committed is protected from then until its link', { skip }, async (t) => {
  const all = await system(t)
  const { store, anna } = all
  const adder = new Adder(all, anna, 'add', fileOf(anna, 'a'), 'mine')
  const cid = cidOf(await adder.said())
  assert.equal(store.blocks.has(cid), false)
  assert.equal(await adder.goOn(), 'committed')
  assert.ok(hasAll(store, cid))
  await collect(store)
  assert.equal(await adder.goOn(), 'linked')
  assert.equal(await adder.goOn(), 'done')
  // The daemon lets go when it sees that the connection ended.
  await until('nothing is protected any more', () =>
    readTempPins(store.paths).every(({ blocks, dags }) => blocks.length + dags.length === 0),
  )
  await collect(store)
  assert.ok(hasAll(store, cid))
  assert.deepEqual(readdirSync(join(anna.home, 'tmp')), [])

  const without = new Adder(all, anna, 'add', fileOf(anna, 'b'))
  const gone = cidOf(await without.said())
  for (const point of ['committed', 'linked', 'done']) assert.equal(await without.goOn(), point)
  await until('it is no longer protected', () => collected(store, gone))
})

test('what somebody else added is protected while it is relied on', { skip }, async (t) => {
  const all = await system(t, { 'uploads.holdSeconds': 1 })
  const { store, anna, root, bert } = all
  const { cid } = await withAdd(store, (add) => importTree(add, fileOf(root, 'r')))
  const adder = new Adder(all, anna, 'hold', String(cid))
  await adder.said()
  // The daemon ends what is held for longer than a second: it is renewed before.
  for (const began = Date.now(); Date.now() - began < 2500; ) {
    await collect(store)
    assert.ok(hasAll(store, cid))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  for (const point of ['committed', 'linked', 'done']) assert.equal(await adder.goOn(), point)
  await until('it is no longer protected', () => collected(store, cid))
  assert.match(await new Adder(all, bert, 'hold', String(cid)).said(), /^INCOMPLETE/)
})

test('a daemon that dies between commit and link takes nothing with it: all is uploaded again', {
  skip,
}, async (t) => {
  const all = await system(t)
  const { store, anna, daemon } = all
  const adder = new Adder(all, anna, 'add', fileOf(anna, 'a'), 'mine')
  const cid = cidOf(await adder.said())
  assert.equal(await adder.goOn(), 'committed')
  daemon.kill('SIGKILL')
  await once(daemon, 'exit')
  await collect(store)
  assert.equal(store.blocks.has(cid), false)
  await all.start()
  assert.equal(await adder.goOn(), 'linked')
  assert.equal(await adder.goOn(), 'done')
  assert.ok(hasAll(store, cid))
  await collect(store)
  assert.ok(hasAll(store, cid))
})

test('without another daemon it is no success', { skip }, async (t) => {
  const all = await system(t)
  const { anna, daemon } = all
  const adder = new Adder(all, anna, 'add', fileOf(anna, 'a'))
  await adder.said()
  assert.equal(await adder.goOn(), 'committed')
  assert.equal(await adder.goOn(), 'linked')
  daemon.kill('SIGKILL')
  await once(daemon, 'exit')
  assert.match(await adder.goOn(), /^NO_DAEMON/)
  assert.deepEqual(readdirSync(join(anna.home, 'tmp')), [])
})

test('what a killed client leaves is let go by the daemon, and removed by the user’s next add', {
  skip,
}, async (t) => {
  const all = await system(t)
  const { store, anna } = all
  const adder = new Adder(all, anna, 'add', fileOf(anna, 'a'))
  const cid = cidOf(await adder.said())
  await adder.goOn()
  const [left] = readdirSync(join(anna.home, 'tmp'))
  await adder.kill()
  await until('its blocks may go', () => collected(store, cid))
  assert.deepEqual(readdirSync(join(anna.home, 'tmp')), [left])
  // Of somebody else, or of no process: neither is touched.
  const strays = [`pkg-scratch-${anna.uid}-other`, 'pkg-scratch-0-dead'].map((name) =>
    join(anna.home, 'tmp', name),
  )
  for (const stray of strays) mkdirSync(stray)
  chmodSync(strays[0]!, 0o777)
  const next = new Adder(all, anna, 'add', fileOf(anna, 'b'))
  await next.said()
  assert.equal(readdirSync(join(anna.home, 'tmp')).includes(left!), false)
  for (const _ of ['committed', 'linked', 'done']) await next.goOn()
  assert.deepEqual(
    readdirSync(join(anna.home, 'tmp'))
      .map((name) => join(anna.home, 'tmp', name))
      .sort(),
    strays.sort(),
  )
})

test('an interrupted upload leaves nothing', { skip }, async (t) => {
  const all = await system(t)
  const { store, anna } = all
  const adder = new Adder(all, anna, 'add', fileOf(anna, 'a'))
  const cid = cidOf(await adder.said())
  adder.child.kill('SIGINT')
  assert.match(await adder.goOn(), /^INTERRUPTED/)
  assert.equal(store.blocks.has(cid), false)
  assert.deepEqual(readdirSync(join(anna.home, 'tmp')), [])
})

test('a tree that many threads read comes as it would without a daemon', { skip }, async (t) => {
  const all = await system(t)
  const { store, anna, root } = all
  const tree = join(anna.home, 'tree')
  mkdirSync(tree)
  for (let at = 0; at < 1500; at++) writeFileSync(join(tree, `f${at}`), `${at}`.repeat(100))
  writeFileSync(join(tree, 'large'), Buffer.alloc(20_000_000, 'x'))
  await root.run(['chown', '-R', `${anna.uid}`, tree])
  const adder = new Adder(all, anna, 'add', tree, 'tree')
  const cid = cidOf(await adder.said())
  for (const point of ['committed', 'linked', 'done']) assert.equal(await adder.goOn(), point)
  assert.ok(hasAll(store, cid))
  const direct = Store.open(join(all.directory, 'other'))
  t.after(() => direct.close())
  assert.equal(String((await withAdd(direct, (add) => importTree(add, tree))).cid), String(cid))
})

test('who is refused learns why, who comes while too many do waits', { skip }, async (t) => {
  const all = await system(t, { 'uploads.quotaBytes': 4_000_000, 'uploads.holdsPerUser': 1 })
  const { anna, bert } = all
  const first = new Adder(all, bert, 'add', fileOf(bert, 'a'), 'mine')
  await first.said()
  await first.goOn()
  const second = new Adder(all, bert, 'add', fileOf(bert, 'b', 5000))
  await second.said()
  const waits = second.goOn()
  for (const point of ['linked', 'done']) assert.equal(await first.goOn(), point)
  assert.equal(await waits, 'committed')
  for (const point of ['linked', 'done']) assert.equal(await second.goOn(), point)

  const large = new Adder(all, anna, 'add', fileOf(anna, 'large', 6_000_000))
  await large.said()
  assert.match(await large.goOn(), /^(NO_SPACE|QUOTA|PERMISSION)/)
})
