// All roots listed, the dead ones too, and dropped by their paths: what is in use is refused.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { dropDead, dropRoots } from '../../src/pins/drop.ts'
import { listRoots } from '../../src/pins/root-list.ts'
import { TempPin } from '../../src/store/add/temp-pin.ts'
import type { CID } from '../../src/store/cid.ts'
import type { Store } from '../../src/store/store.ts'
import { addTree, current, generation, link, pinTree, present } from '../collector/scenario.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** A link of a user's own, with an auto pin. */
async function userLink(t: TestContext, store: Store, cid: CID, name = 'result'): Promise<string> {
  const path = link(join(store.paths.store, String(cid)), join(await temporaryDirectory(t), name))
  await autoPin(store, path, { prog: 'any', user: 'bob' })
  return path
}

/** The temp pin of a process that is gone. */
async function deadTempPin(store: Store): Promise<string> {
  const script = `import { TempPin } from ${JSON.stringify(new URL('../../src/store/add/temp-pin.ts', import.meta.url).href)}
    console.log(new TempPin({ tempPins: ${JSON.stringify(store.paths.tempPins)} }).file)
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  child.stdout.on('data', (bytes) => {
    text += bytes
  })
  await once(child, 'close')
  return text.trim()
}

const summary = async (store: Store) =>
  (await listRoots(store)).map(({ kind, state, name }) => `${kind} ${name} ${state}`)

test('every kind is listed, also what is dead, and what cannot be read', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await pinTree(store, 'hello')
  generation(store, 2, root)
  generation(store, 10, root)
  current(store, 10)
  const gone = await userLink(t, store, root, 'gone')
  rmSync(gone)
  const loop = await userLink(t, store, root, 'loop')
  rmSync(loop)
  symlinkSync(loop, loop)
  const dead = await deadTempPin(store)
  const living = new TempPin(store.paths)
  living.addDag(root)
  const listed = await listRoots(store)
  assert.deepEqual(await summary(store), [
    'generation bob alive',
    'generation bob alive',
    'pin hello alive',
    'auto  dead',
    'auto any unreadable',
    ...listed.filter(({ kind }) => kind === 'temp').map(({ name, state }) => `temp ${name} ${state}`),
  ])
  assert.deepEqual(
    listed.flatMap(({ number, current }) => (number === undefined ? [] : [[number, current]])),
    [
      [2, false],
      [10, true],
    ],
  )
  // Looking for the date of what cannot be read might wait for ever.
  assert.ok(listed.every(({ since, state }) => since instanceof Date === (state !== 'unreadable')))
  assert.equal(listed.find(({ path }) => path === dead)?.state, 'dead')
  assert.equal(String(listed.find(({ path }) => path === living.file)?.cid), String(root))
  assert.equal(listed.find(({ path }) => path === loop)?.errno, 'ELOOP')
  living.close()
})

test('a pin, an auto pin and a generation that is not current go; what only they kept is collected then', async (t) => {
  const store = await temporaryStore(t)
  const [pinned, linked, old, now] = [
    await pinTree(store, 'pinned'),
    await addTree(store, 'linked'),
    await addTree(store, 'old'),
    await addTree(store, 'now'),
  ]
  generation(store, 1, old.root)
  generation(store, 2, now.root)
  current(store, 2)
  const own = await userLink(t, store, linked.root)
  const paths = (await listRoots(store)).filter((root) => !root.current).map(({ path }) => path)
  assert.equal(paths.length, 3)
  const dropped = await dropRoots(store, paths)
  assert.deepEqual(dropped.map(({ kind }) => kind).sort(), ['auto', 'generation', 'pin'])
  assert.ok(lstatSync(own).isSymbolicLink())
  await runCollection(store)
  assert.deepEqual(
    [pinned, linked, old].map((tree) => present(store, tree)),
    [0, 0, 0],
  )
  assert.equal(present(store, now), now.blocks)
})

test('what is in use is refused with the reason, and nothing else that was named goes', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await pinTree(store, 'hello')
  const [one, two] = [generation(store, 1, root), generation(store, 2, root)]
  current(store, 2)
  const through = await userLink(t, store, root)
  rmSync(through)
  symlinkSync(one, through)
  await autoPin(store, through, { prog: 'any', user: 'bob' })
  const living = new TempPin(store.paths)
  const pin = (await listRoots(store)).find(({ kind }) => kind === 'pin')!.path
  const cases: [path: string, why: RegExp][] = [
    [two, /is the current generation/],
    [one, new RegExp(`${through} leads through it`)],
    [living.file, /process \d+ lives/],
  ]
  for (const [path, why] of cases) {
    await assert.rejects(dropRoots(store, [pin, path]), { code: 'BUSY', message: why })
    assert.ok(lstatSync(path))
  }
  await assert.rejects(dropRoots(store, [pin, join(store.paths.root, 'nothing')]), { code: 'NOT_FOUND' })
  assert.ok(lstatSync(pin))
  living.close()
})

test('a program that runs from the store is a root that cannot be dropped', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await addTree(store, 'hello')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { HERE: join(store.paths.store, String(root)) },
    stdio: 'ignore',
  })
  t.after(() => child.kill())
  await once(child, 'spawn')
  const found = (await listRoots(store)).find(({ kind }) => kind === 'process')
  assert.equal(String(found?.cid), String(root))
  await assert.rejects(dropRoots(store, [found!.path]), { code: 'BUSY', message: /the program \S+ runs/ })
})

test('the dead are dropped together, and the living stay', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await pinTree(store, 'hello')
  const kept = await userLink(t, store, root, 'kept')
  rmSync(await userLink(t, store, root, 'gone'))
  const dead = await deadTempPin(store)
  assert.deepEqual((await dropDead(store)).map(({ kind }) => kind).sort(), ['auto', 'temp'])
  assert.ok(!existsSync(dead))
  assert.deepEqual(await summary(store), ['pin hello alive', 'auto any alive'])
  assert.ok(lstatSync(kept))
  assert.deepEqual(await dropDead(store), [])
})

test('a generation of a profile outside of the prefix goes with its auto pin', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await addTree(store, 'hello')
  const profile = join(await temporaryDirectory(t), 'profile')
  for (const number of ['1', '2']) {
    const path = link(join(store.paths.store, String(root)), join(profile, 'generations', number))
    await autoPin(store, path, { prog: 'profile', user: 'bob' })
  }
  symlinkSync('generations/2', join(profile, 'current'))
  const [one, two] = ['1', '2'].map((number) => join(profile, 'generations', number))
  await assert.rejects(dropRoots(store, [two!]), { code: 'BUSY' })
  await dropRoots(store, [one!])
  assert.ok(!existsSync(one!) && !lstatSync(one!, { throwIfNoEntry: false }))
  assert.deepEqual(await summary(store), ['auto profile alive'])
})

test('what this user may not drop is not permitted, also the current generation', async (t) => {
  const store = await temporaryStore(t)
  const tree = await addTree(store, 'theirs')
  generation(store, 1, tree.root, 'ann')
  current(store, 1, 'ann')
  const directory = join(store.paths.profilesPerUser, 'ann', 'generations')
  const module = (name: string) => JSON.stringify(new URL(`../../src/${name}.ts`, import.meta.url).href)
  const script = `import { dropRoots } from ${module('pins/drop')}; import { prefixPaths } from ${module('paths')}
    await dropRoots({ paths: prefixPaths(process.argv[1]) }, [process.argv[2]]).catch(({ code }) => console.log(code))`
  const drop = () =>
    runPowerless(['--input-type=module', '-e', script, store.paths.root, join(directory, '1')]).stdout.trim()
  assert.equal(drop(), 'BUSY')
  chmodSync(directory, 0o555)
  assert.equal(drop(), 'PERMISSION')
})
