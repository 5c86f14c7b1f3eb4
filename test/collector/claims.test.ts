// The journal of claims, and that a collector without its re-check is noticed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode } from '../../src/errors.ts'
import { makeLock, removeLock } from '../../src/files/lock-directory.ts'
import type { StopPoint } from '../../src/pins/stop-point.ts'
import { AddSession } from '../../src/store/add/add.ts'
import { ClaimsJournal, noteClaims } from '../../src/store/add/claims.ts'
import { Store } from '../../src/store/store.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryStore } from '../helpers/store.ts'
import { addTree, link, missing, pinTree, present, tree } from './scenario.ts'

const journalOf = (store: Store) => `${store.paths.collector}.claims`

test('a journal gives what was noted since it was begun, each record once', async (t) => {
  const { paths } = await temporaryStore(t)
  const { dag, root } = tree('noted')
  const [block] = [...dag.blocks.values()]
  noteClaims(paths, 'block AAAA\n')
  assert.ok(!existsSync(`${paths.collector}.claims`), 'without a collector there is no journal')
  const journal = new ClaimsJournal(paths)
  t.after(() => journal.close())
  assert.equal(journal.take(), undefined)
  noteClaims(paths, `block ${Buffer.from(block!.cid.multihash.bytes).toString('base64url')}\n`)
  noteClaims(paths, `dag ${root}\n`)
  const taken = journal.take()
  assert.deepEqual(taken?.dags.map(String), [String(root)])
  assert.deepEqual(
    taken?.blocks.map((key) => Buffer.from(key, 'latin1')),
    [Buffer.from(block!.cid.multihash.bytes)],
  )
  assert.equal(journal.take(), undefined)
})

test('a record that was written in part hides none that follows', async (t) => {
  const { paths } = await temporaryStore(t)
  const { root } = tree('whole')
  const journal = new ClaimsJournal(paths)
  t.after(() => journal.close())
  appendFileSync(`${paths.collector}.claims`, '\ndag bafy')
  assert.deepEqual(journal.take()?.dags ?? [], [])
  noteClaims(paths, `dag ${root}\n`)
  assert.deepEqual(journal.take()?.dags.map(String), [String(root)])
})

test('what a killed collector left in the journal does not count', async (t) => {
  const store = await temporaryStore(t)
  const dead = await addTree(store, 'dead')
  writeFileSync(journalOf(store), `\ndag ${dead.root}\n`)
  await runCollection(store)
  assert.equal(present(store, dead), 0)
})

test('a journal that is taken away ends the collection, and nothing is lost', async (t) => {
  const store = await temporaryStore(t)
  const dead = await addTree(store, 'dead')
  const run = at(store, 'batch', () => rmSync(journalOf(store)))
  await assert.rejects(run, (error) => hasCode(error, 'BUSY'))
  assert.deepEqual(missing(store, dead.root), [])
  await runCollection(store)
  assert.equal(present(store, dead), 0)
})

test('a journal that another user left closed is replaced', async (t) => {
  const store = await temporaryStore(t)
  const dead = await addTree(store, 'dead')
  writeFileSync(journalOf(store), '', { mode: 0o444 })
  const { status, stderr } = runPowerless([
    join(import.meta.dirname, 'collector-process.ts'),
    store.paths.root,
  ])
  assert.equal(status, 0, stderr)
  assert.equal(present(store, dead), 0)
})

for (const put of [symlinkSync, linkSync]) {
  test(`another file in the journal's place (${put.name}) keeps its content and its mode`, async (t) => {
    const store = await temporaryStore(t)
    const other = join(store.paths.root, 'precious')
    writeFileSync(other, 'precious', { mode: 0o600 })
    put(other, journalOf(store))
    await runCollection(store)
    assert.equal(readFileSync(other, 'utf8'), 'precious')
    assert.equal(statSync(other).mode & 0o777, 0o600)
  })
}

test('a link in the place of spare room has nothing made where it leads', async (t) => {
  const store = await temporaryStore(t)
  const spare = join(store.paths.var, 'spare-1')
  rmSync(spare, { force: true })
  symlinkSync(join(store.paths.root, 'made'), spare)
  await runCollection(store)
  assert.ok(!existsSync(join(store.paths.root, 'made')))
})

test('another file in the place of the index keeps its mode', async (t) => {
  const { paths } = await temporaryStore(t)
  const other = join(paths.root, 'precious')
  writeFileSync(other, 'precious', { mode: 0o600 })
  rmSync(paths.index, { force: true })
  symlinkSync(other, paths.index)
  const store = Store.openExisting(paths.root)
  t.after(() => store.close())
  await runCollection(store)
  assert.equal(readFileSync(other, 'utf8'), 'precious')
  assert.equal(statSync(other).mode & 0o777, 0o600)
})

test('a collection by root leaves a journal to whom the prefix belongs', {
  skip: process.getuid?.() === 0 ? false : 'only root can give files away',
}, async (t) => {
  const store = await temporaryStore(t)
  chownSync(store.paths.pins, 12_345, 12_345)
  await runCollection(store)
  assert.equal(statSync(journalOf(store)).uid, 12_345)
})

test('an adder waits for the batch under way, and for no later one', async (t) => {
  const store = await temporaryStore(t)
  const add = new AddSession(store)
  t.after(() => add.close())
  mkdirSync(`${store.paths.collector}.lock`)
  const lock = `${store.paths.pinsLock}.lock`
  makeLock(lock)
  let done = false
  const adding = add.put([...tree('late').dag.blocks.values()]).then(() => (done = true))
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(!done)
  // The next batch begins before the adder has looked again.
  removeLock(lock)
  makeLock(lock)
  await adding
  removeLock(lock)
  rmSync(`${store.paths.collector}.lock`, { recursive: true })
})

test('an adder whose look came before the collector began is known by its temp pin, or by its link', async (t) => {
  for (const links of [false, true]) {
    const store = await temporaryStore(t)
    const found = await addTree(store, 'found')
    const add = new AddSession(store)
    t.after(() => add.close())
    // Its look is over here; everything else is seen by the mark alone.
    await add.put([...found.dag.blocks.values()])
    await at(store, 'journal-begun', () => {
      if (!links) return
      link(`../../../../store/${found.root}`, join(store.paths.pinsPerUser, 'eve', 'x', `${found.root}`))
      add.close()
    })
    assert.deepEqual(missing(store, found.root), [])
    assert.equal(statSync(journalOf(store)).size, 0)
  }
})

test('a node that comes back during the sweep keeps what it leads to', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  const root = [...kept.dag.blocks.values()].find(({ cid }) => cid.equals(kept.root))!
  store.index.clear()
  store.blocks.delete(root.cid)
  const add = new AddSession(store)
  t.after(() => add.close())
  await at(store, 'batch', () => add.put([root]))
  assert.deepEqual(missing(store, kept.root), [])
})

test('a collector that leaves out its re-check loses what an adder found present', async (t) => {
  const store = await temporaryStore(t)
  for (const point of ['marked', 'listed', 'synced', 'batch', 'looked-again'] as const) {
    assert.deepEqual(await lostAt(t, store, point, {}), [], point)
    const lost = await lostAt(t, store, point, { PKG_TEST_BREAK: 'collector-recheck' })
    assert.notDeepEqual(lost, [], point)
  }
})

/** Runs a collection in which `act` happens once, beside it, at `point`. */
async function at(store: Store, point: StopPoint, act: () => unknown) {
  let acted = false
  return runCollection(
    store,
    {},
    {
      at: async (reached) => {
        if (reached !== point || acted) return
        acted = true
        await act()
      },
    },
  )
}

/** What is missing of a DAG that was found whole while a collector of another process stood at `point`. */
async function lostAt(
  t: TestContext,
  store: Store,
  point: StopPoint,
  env: Record<string, string>,
): Promise<string[]> {
  const dead = await addTree(store, `dead ${point}`)
  const script = join(import.meta.dirname, 'collector-process.ts')
  const child = spawn(process.execPath, [script, store.paths.root, '', point], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  const add = new AddSession(store)
  assert.equal((await add.put([...dead.dag.blocks.values()])).present, dead.blocks)
  child.stdin.end('go on\n')
  assert.deepEqual(await ended, [0, null])
  const lost = missing(store, dead.root)
  add.close()
  return lost
}
