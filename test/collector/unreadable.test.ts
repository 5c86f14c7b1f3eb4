// What cannot be read counts as alive (invariant 5), and only what is truly gone
// is dropped.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { runCollection } from '../../src/collector/collect.ts'
import { planCollection } from '../../src/collector/plan.ts'
import { hasCode } from '../../src/errors.ts'
import { userName } from '../../src/paths.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { listPins } from '../../src/pins/pins.ts'
import type { Store } from '../../src/store/store.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { addTree, link, missing, pinTree, present, type Tree } from './scenario.ts'

const run = promisify(execFile)

/** Ways to make a place of roots unreadable, also for root. */
const DAMAGED: [string, (store: Store, home: string) => void][] = [
  ['a user who is a loop of links', ({ paths }) => symlinkSync('eve', join(paths.pinsPerUser, 'eve'))],
  ['a pin that is a loop of links', ({ paths }) => link('x', join(paths.pinsPerUser, 'eve', 'prog', 'x'))],
  [
    'a pin by way of a file',
    ({ paths }, home) => {
      writeFileSync(join(home, 'file'), '')
      link(join(home, 'file', 'x'), join(paths.pinsPerUser, 'eve', 'prog', 'x'))
    },
  ],
  [
    'a user whose pins lie on a disk that is not there',
    ({ paths }, home) => {
      symlinkSync(join(home, 'disk', 'pins'), join(paths.pinsPerUser, 'eve'))
    },
  ],
  [
    'generations that are no directory',
    ({ paths }) => {
      mkdirSync(join(paths.profilesPerUser, 'eve'))
      writeFileSync(join(paths.profilesPerUser, 'eve', 'generations'), '')
    },
  ],
  ['no profiles at all', ({ paths }) => rmSync(paths.profilesPerUser, { recursive: true })],
  ['no pins at all', ({ paths }) => rmSync(paths.pinsPerUser, { recursive: true })],
  [
    'an auto pin that nobody ever could follow',
    ({ paths }, home) => {
      link(join(home, 'nothing'), join(paths.pinsPerUser, 'eve', 'prog', 'auto', 'abc'))
    },
  ],
]
for (const [title, damage] of DAMAGED) {
  test(`${title}: nothing is deleted, and the place is named`, async (t) => {
    const store = await temporaryStore(t)
    const dead = await addTree(store, 'dead')
    damage(store, await temporaryDirectory(t))
    await assert.rejects(runCollection(store), (error) => {
      return (
        hasCode(error, 'IO') && /eve|profiles|nothing|pins/.test(error.message) && error.hint !== undefined
      )
    })
    assert.equal(present(store, dead), dead.blocks)
    const plan = await planCollection(store)
    assert.deepEqual([plan.blocks, plan.unreadable.length], [0, 1])
  })
}

/** An auto pin whose link lies in `home/there`, which the test then makes unreachable. */
async function linked(
  t: TestContext,
  made?: string,
): Promise<{ store: Store; home: string; tree: Tree; path: string }> {
  const store = await temporaryStore(t)
  const home = made ?? (await temporaryDirectory(t))
  const tree = await addTree(store, 'linked')
  const path = link(`${store.paths.store}/${tree.root}`, join(home, 'there', 'result'))
  await autoPin(store, path, { prog: 'x' })
  return { store, home, tree, path }
}

const HIDDEN: [string, (home: string) => void][] = [
  ['ELOOP', (home) => symlinkSync('there', join(home, 'there'))],
  ['ENOTDIR', (home) => writeFileSync(join(home, 'there'), '')],
]
for (const [errno, hide] of HIDDEN) {
  test(`an auto pin whose link answers ${errno} keeps what it is known to lead to`, async (t) => {
    const { store, home, tree } = await linked(t)
    const dead = await addTree(store, 'dead')
    renameSync(join(home, 'there'), join(home, 'away'))
    hide(home)
    const { unreadable } = await runCollection(store)
    assert.deepEqual(missing(store, tree.root), [])
    assert.equal(present(store, dead), 0)
    assert.deepEqual([unreadable[0]?.errno, String(unreadable[0]?.cid)], [errno, String(tree.root)])
    assert.equal((await listPins(store))[0]?.remembered, true)
  })
}

test('an auto pin whose link lies on a file system that is not mounted now is kept', async (t) => {
  const home = await temporaryDirectory(t)
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'pkg-test', home], { stdio: 'ignore' })
  } catch {
    return t.skip('may not mount')
  }
  t.after(() => run('umount', ['-l', home]).catch(() => {}))
  const { store, tree, path } = await linked(t, home)
  execFileSync('umount', [home])
  assert.equal(existsSync(path), false)
  const { gone } = await runCollection(store)
  assert.deepEqual(gone, [])
  assert.deepEqual(missing(store, tree.root), [])
})

test('an auto pin whose link now leads elsewhere keeps nothing, and is not dropped', async (t) => {
  const { store, tree, path } = await linked(t)
  unlinkSync(path)
  symlinkSync('/usr', path)
  const { gone } = await runCollection(store)
  assert.deepEqual(gone, [])
  assert.equal(present(store, tree), 0)
  unlinkSync(path)
  const again = await addTree(store, 'linked')
  link(`${store.paths.store}/${tree.root}`, path)
  await runCollection(store)
  assert.deepEqual(missing(store, again.root), [])
})

/** Runs the collector as a process to which permissions apply, also here. */
const collectPowerless = (store: Store) =>
  runPowerless([join(import.meta.dirname, 'collector-process.ts'), store.paths.root])

test('a directory of pins that may not be read: nothing is deleted', async (t) => {
  const store = await temporaryStore(t)
  const hidden = await pinTree(store, 'hidden')
  const dead = await addTree(store, 'dead')
  store.close()
  chmodSync(join(store.paths.pinsPerUser, userName()), 0)
  const { status, stderr } = collectPowerless(store)
  assert.equal(status, 1)
  assert.match(stderr, /EACCES.*nothing is deleted/)
  assert.deepEqual([...missing(store, hidden.root), ...missing(store, dead.root)], [])
})

test('a home that may not be entered: what the auto pin there remembers is kept', async (t) => {
  const { store, home, tree } = await linked(t)
  const dead = await addTree(store, 'dead')
  store.close()
  chmodSync(home, 0)
  const { status, stdout, stderr } = collectPowerless(store)
  chmodSync(home, 0o700)
  assert.equal(status, 0, stderr)
  assert.equal(JSON.parse(stdout).unreadable, 1)
  assert.deepEqual(missing(store, tree.root), [])
  assert.equal(present(store, dead), 0)
})
