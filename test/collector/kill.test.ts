// A collector that is killed at any of its steps leaves every root whole, and a
// rerun finishes what it began.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode } from '../../src/errors.ts'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { addPin } from '../../src/pins/pins.ts'
import { STOP_POINTS } from '../../src/pins/stop-point.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { TempPin } from '../../src/store/add/temp-pin.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { addTree, ageLocks, current, generation, link, missing, pinTree, present } from './scenario.ts'

const directory = await temporaryDirectory({ after })
const store = Store.open(directory)
after(() => store.close())
let round = 0

async function runKilled(point: string): Promise<string | null> {
  const script = join(import.meta.dirname, 'collector-process.ts')
  const child = spawn(process.execPath, [script, directory, point], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [, signal] = await once(child, 'exit')
  return signal
}

for (const point of STOP_POINTS) {
  test(`killed at "${point}" a collector loses nothing, and a rerun does the rest`, async () => {
    const user = `user-${++round}`
    const kept = await pinTree(store, `kept ${round}`)
    const old = await addTree(store, `old ${round}`)
    const fresh = await addTree(store, `new ${round}`)
    const dead = await addTree(store, `dead ${round}`)
    const linked = await addTree(store, `linked ${round}`)
    generation(store, 1, old.root, user)
    generation(store, 2, fresh.root, user)
    current(store, 2, user)
    const path = link(`${store.paths.store}/${linked.root}`, join(directory, `result-${round}`))
    await autoPin(store, path, { prog: 'x' })
    const gone = link(`${store.paths.store}/${dead.root}`, join(directory, `gone-${round}`))
    await autoPin(store, gone, { prog: 'x' })
    rmSync(gone)

    assert.equal(await runKilled(point), 'SIGKILL')
    const whole = [kept, fresh, linked].flatMap(({ root }) => missing(store, root))
    assert.deepEqual(whole, [])
    if (readdirSync(join(store.paths.profilesPerUser, user, 'generations')).includes('1')) {
      assert.deepEqual(missing(store, old.root), [])
    }
    ageLocks(store)
    await addPin(store, { prog: 'late', cid: dead.root }).then(
      () => assert.deepEqual(missing(store, dead.root), []),
      (error) => assert.ok(hasCode(error, 'INCOMPLETE', 'MISSING_BLOCK'), String(error)),
    )
    await withAdd(store, async (add) => {
      await add.put([...dead.dag.blocks.values()])
      await runCollection(store, { keep: 1 })
      assert.deepEqual(missing(store, dead.root), [])
    })
    assert.equal(present(store, old), 0)
    assert.deepEqual(
      [kept, fresh, linked].flatMap(({ root }) => missing(store, root)),
      [],
    )
    assert.deepEqual(readdirSync(store.paths.tempPins), [])
  })
}

test('the temp pins of killed processes are cleaned, those of living ones are not', async (t) => {
  const script = `
    import { Store } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/store.ts'))}
    import { TempPin } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/add/temp-pin.ts'))}
    new TempPin(Store.open(${JSON.stringify(directory)}).paths)
    console.log('ready')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const mine = new TempPin(store.paths)
  t.after(() => mine.close())
  await runCollection(store)
  assert.equal(readdirSync(store.paths.tempPins).length, 2)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await runCollection(store)
  assert.deepEqual(readdirSync(store.paths.tempPins), [mine.file.split('/').at(-1)])
})
