import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/pins/collect.ts'
import { parseCid } from '../../src/store/cid.ts'
import { temporaryStore } from '../helpers/store.ts'
import { missing } from './scenario.ts'

const ADDERS = 20

test('20 imports beside running collections lose nothing', async (t) => {
  const store = await temporaryStore(t)
  // Small batches: more of the moments in which things can go wrong.
  writeFileSync(store.paths.config, '{"gc.batch": 4}')
  const script = join(import.meta.dirname, 'adder-process.ts')
  const adders = Array.from({ length: ADDERS }, async (_, index) => {
    writeFileSync(join(store.paths.root, `running-${index}`), '')
    const child = spawn(process.execPath, [script, store.paths.root, String(index), '4'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (data) => {
      said += data
    })
    const [status] = await once(child, 'close')
    assert.equal(status, 0)
    return said.trim().split('\n')
  })
  const running = () => readdirSync(store.paths.root).some((name) => name.startsWith('running-'))
  let collections = 0
  while (running()) {
    await runCollection(store)
    collections += 1
  }
  const promised = (await Promise.all(adders)).flat()
  assert.equal(promised.length, ADDERS * 3)
  for (const root of promised) assert.deepEqual(missing(store, parseCid(root)), [])
  await runCollection(store)
  for (const root of promised) assert.deepEqual(missing(store, parseCid(root)), [])
  assert.ok(collections > 1)
  assert.deepEqual(readdirSync(store.paths.tempPins), [])
})
