import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { parseCid } from '../../src/store/cid.ts'
import { temporaryStore } from '../helpers/store.ts'
import { missing } from './scenario.ts'

const PROCESSES = 4
const ADDERS_EACH = 5
const COLLECTIONS = 6

/** Starts adders; gives what they print, which is what they promise, once they have ended. */
async function startAdders(t: TestContext, prefix: string, name: string, enough: string): Promise<string[]> {
  const script = join(import.meta.dirname, 'adder-process.ts')
  const child = spawn(process.execPath, [script, prefix, name, String(ADDERS_EACH), enough], {
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
}

test('20 imports beside running collections lose nothing', async (t) => {
  const store = await temporaryStore(t)
  // Small batches: more of the moments in which things can go wrong.
  writeFileSync(store.paths.config, '{"gc.batch": 4}')
  const enough = join(store.paths.root, 'enough')
  const adders = Array.from({ length: PROCESSES }, (_, index) =>
    startAdders(t, store.paths.root, String(index), enough),
  )
  for (let count = 0; count < COLLECTIONS; ) {
    const { blocks, claimed } = await runCollection(store)
    // Those before the adders are at it do not count.
    if (blocks + claimed > 0) count += 1
  }
  writeFileSync(enough, '')
  const promised = (await Promise.all(adders)).flat()
  assert.ok(promised.length >= PROCESSES * ADDERS_EACH * 2)
  for (const root of promised) assert.deepEqual(missing(store, parseCid(root)), [])
  await runCollection(store)
  for (const root of promised) assert.deepEqual(missing(store, parseCid(root)), [])
  assert.deepEqual(readdirSync(store.paths.tempPins), [])
})
