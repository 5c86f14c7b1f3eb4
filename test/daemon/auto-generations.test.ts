// What a collection of the daemon does to generations is never silent: nobody asked for it.

import assert from 'node:assert/strict'
import { lutimesSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { lastCollection } from '../../src/collector/last-collection.ts'
import { AutoCollector } from '../../src/daemon/collect/auto-collect.ts'
import { describeTriggers } from '../../src/daemon/collect/when-to-collect.ts'
import { openLog } from '../../src/daemon/log.ts'
import { addTree, current, generation } from '../collector/scenario.ts'
import { temporaryStore } from '../helpers/store.ts'
import { until } from './prefix.ts'

const OFF = {
  'gc.minFree': undefined,
  'gc.maxFree': undefined,
  'gc.interval': undefined,
  'gc.keep': undefined,
  'gc.deleteOlderThan': undefined,
  'gc.graceSeconds': 0,
}

test('which generations go is said with when they do, and in the units that were written', () => {
  const daily = { ...OFF, 'gc.interval': 2000, 'gc.keep': 3, 'gc.deleteOlderThan': 30 * 86_400_000 }
  assert.equal(
    describeTriggers(daily),
    'every 2 s; deletes generations beyond the newest 3 of each profile and made more than 30 d ago',
  )
  // Where nothing begins a collection the policy is nobody's.
  assert.equal(describeTriggers({ ...OFF, 'gc.keep': 3 }), 'only when asked to')
})

test('the log names each generation that the daemon deletes, and young blocks; the note keeps them counted', async (t) => {
  const store = await temporaryStore(t)
  const trees = [await addTree(store, 'one'), await addTree(store, 'two'), await addTree(store, 'three')]
  for (const [index, { root }] of trees.entries()) {
    const path = generation(store, index + 1, root)
    lutimesSync(path, 0, 0)
  }
  current(store, 3)
  writeFileSync(store.paths.config, '{"gc.checkSeconds":1,"gc.interval":"1d","gc.keep":1}')
  const collector = new AutoCollector(store.paths, openLog(store.paths.log, 'daemon'))
  collector.start()
  t.after(() => collector.close())
  await until('it has collected', () => collector.status.last !== undefined && !collector.status.running)
  const log = readFileSync(store.paths.log, 'utf8')
  const profile = join(store.paths.profilesPerUser, 'bob')
  for (const number of [1, 2]) {
    assert.ok(log.includes(`deleted generation ${number} of ${profile}, made 1970-01-01`), log)
    assert.ok(log.includes(`: ${trees[number - 1]?.root}`), log)
  }
  // Their blocks are not ten minutes old.
  assert.match(log, /collected 0 blocks, 0 B, and left \d+ too young ones; .* are free/)
  assert.deepEqual([collector.status.last?.generations, (collector.status.last?.young ?? 0) > 0], [2, true])
  const { ended } = collector.status.last ?? {}
  await runCollection(store, {}, { graceMs: 0 })
  assert.deepEqual(lastCollection(store.paths)?.lastGenerations, { ended, count: 2 })
})
