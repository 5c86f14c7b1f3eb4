// A process whose memory map cannot be read, as one that waits for a file system that does not answer, and that file
// system itself: no command waits for them, and what cannot be read counts as alive.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { storePath } from '../../src/paths.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { listRoots } from '../../src/pins/root-list.ts'
import { Store } from '../../src/store/store.ts'
import { sandbox } from '../cli/harness.ts'
import { addTree, missing, present } from '../collector/scenario.ts'
import { temporaryStore } from '../helpers/store.ts'
import { buildStuckProgram, NOTHING_STUCK, stuckFileSystem, stuckProcess } from '../helpers/stuck.ts'

/** A deadline, not a measure: without one a hang would be the whole run's. */
const options = { skip: NOTHING_STUCK, timeout: 240_000 }

/** A stuck process whose program is in the store, as far as the kernel tells: its mount is an ordinary directory. */
async function stuckInStore(t: TestContext, store: Store, name: string) {
  const fileSystem = await stuckFileSystem(t)
  const running = await addTree(store, name)
  const bin = join(store.paths.store, String(running.root), 'bin')
  mkdirSync(bin, { recursive: true })
  buildStuckProgram(join(bin, 'program'))
  const process = await stuckProcess(t, join(bin, 'program'), fileSystem)
  return { running, process }
}

test('a collection beside a stuck process ends, keeps its program, and names it', options, async (t) => {
  const store = await temporaryStore(t)
  const { running, process } = await stuckInStore(t, store, 'running')
  const second = await stuckInStore(t, store, 'second')
  const dead = await addTree(store, 'dead')
  const { stuckProcesses } = await runCollection(store, {}, { graceMs: 0 })
  const pids = [process.pid, second.process.pid]
  assert.deepEqual(
    stuckProcesses.filter(({ pid }) => pids.includes(pid)).map(({ name }) => name),
    ['program', 'program'],
  )
  assert.deepEqual([missing(store, running.root), missing(store, second.running.root)], [[], []])
  assert.equal(present(store, dead), 0)
  const listed = (await listRoots(store)).filter(({ path }) => path === `/proc/${process.pid}`)
  assert.deepEqual(
    listed.map(({ state, name, errno }) => [state, name, errno]),
    [['unreadable', 'program', 'ETIMEDOUT']],
  )
})

test(
  'every command beside a stuck process ends, and those that tell of processes name it',
  options,
  async (t) => {
    const box = await sandbox(t)
    const store = Store.open(box.prefix)
    t.after(() => store.close())
    const { process } = await stuckInStore(t, store, 'running')
    for (const words of [
      'gc --dry-run',
      'gc',
      'roots',
      'du',
      'store verify',
      'doctor',
      'daemon stop',
      'pin list',
    ]) {
      const { status, signal, stdout, stderr } = await box.run(words.split(' '))
      assert.equal(signal, null, words)
      if (words !== 'doctor') assert.equal(status, 0, `${words}: ${stderr}`)
      if (/^(gc|roots)/.test(words)) assert.match(stdout + stderr, new RegExp(`${process.pid}`), words)
    }
  },
)

test(
  'a link that an auto pin watches, in a home that stops answering, keeps what it kept',
  options,
  async (t) => {
    const box = await sandbox(t)
    const store = Store.open(box.prefix)
    t.after(() => store.close())
    const { root } = await addTree(store, 'kept')
    const home = await stuckFileSystem(t, storePath(store.paths, root))
    const link = join(home.point, 'result')
    await autoPin(store, link, { prog: 'any' })
    home.hang()
    for (const words of ['gc --dry-run', 'gc', 'roots', 'du', 'store verify', 'pin list', 'why any']) {
      const { status, signal, stdout, stderr } = await box.run(words.split(' '))
      assert.equal(signal, null, words)
      assert.equal(status, 0, `${words}: ${stderr}`)
      if (/^(gc|roots|pin)/.test(words))
        assert.ok((stdout + stderr).includes(home.point), `${words}: ${stdout}${stderr}`)
    }
    for (const words of ['pin remove nosuch', 'install nosuch', 'info nosuch', 'store ls nosuch']) {
      const { status, stderr } = await box.run(words.split(' '))
      assert.ok(status !== null && status > 0 && stderr.includes('nosuch'), `${words}: ${stderr}`)
    }
    assert.deepEqual(missing(store, root), [])
  },
)
