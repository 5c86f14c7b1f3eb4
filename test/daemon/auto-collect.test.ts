// Collections that the daemon begins by itself: when, how much, and for real on a small disk.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statfsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { lastCollection, noteCollection } from '../../src/collector/last-collection.ts'
import { AutoCollector } from '../../src/daemon/collect/auto-collect.ts'
import { describeTriggers, dueCollection } from '../../src/daemon/collect/when-to-collect.ts'
import { openLog } from '../../src/daemon/log.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { Store } from '../../src/store/store.ts'
import { addTree } from '../collector/scenario.ts'
import { Dag } from '../fixtures/dag.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { until } from './prefix.ts'

const HOUR = 3_600_000
const GIB = 1024 ** 3
const OFF = {
  'gc.minFree': undefined,
  'gc.maxFree': undefined,
  'gc.interval': undefined,
  'gc.keep': undefined,
  'gc.deleteOlderThan': undefined,
  'gc.graceSeconds': 0,
}
const now = Date.parse('2026-11-21T12:00:00Z')
const room = { freeBytes: 10 * GIB, totalBytes: 100 * GIB, now, lastMs: now - 2 * HOUR }

test('nothing is due while enough is free and the last collection is not long ago', () => {
  assert.equal(dueCollection(OFF, { ...room, freeBytes: 0, lastMs: undefined }), undefined)
  const on = { ...OFF, 'gc.minFree': { percent: 10 }, 'gc.interval': 3 * HOUR }
  assert.equal(dueCollection(on, room), undefined)
})

test('little space: until so much is free, never less than what was too little; else all that is dead', () => {
  const min = { ...OFF, 'gc.minFree': { percent: 20 } }
  assert.equal(dueCollection(min, room)?.options.ensureFreeBytes, undefined)
  assert.match(dueCollection(min, room)?.why ?? '', /^10\.0 GiB are free, which is less than 20\.0 GiB$/)
  const max = { ...min, 'gc.maxFree': { bytes: 30 * GIB } }
  assert.equal(dueCollection(max, room)?.options.ensureFreeBytes, 30 * GIB)
  const less = { ...min, 'gc.maxFree': { bytes: GIB } }
  assert.equal(dueCollection(less, room)?.options.ensureFreeBytes, 20 * GIB)
})

test('the timer: long enough ago, not known, or in a future that a wrong clock wrote', () => {
  const timer = { ...OFF, 'gc.interval': HOUR, 'gc.keep': 3, 'gc.deleteOlderThan': 24 * HOUR }
  for (const lastMs of [now - HOUR, undefined, now + HOUR]) {
    assert.deepEqual(dueCollection(timer, { ...room, lastMs })?.policy, { keep: 3, olderThanMs: 24 * HOUR })
  }
  assert.equal(dueCollection(timer, { ...room, lastMs: now - HOUR + 1 }), undefined)
})

test('what was written in the last ten minutes stays, or as long as the grace time is', () => {
  const timer = { ...OFF, 'gc.interval': HOUR }
  assert.equal(dueCollection(timer, room)?.options.graceMs, 600_000)
  assert.equal(dueCollection({ ...timer, 'gc.graceSeconds': 7200 }, room)?.options.graceMs, 7_200_000)
})

test('what is switched on is said in words', () => {
  assert.equal(describeTriggers(OFF), 'only when asked to')
  const all = { ...OFF, 'gc.minFree': { bytes: GIB }, 'gc.maxFree': { percent: 5 }, 'gc.interval': 36 * HOUR }
  assert.equal(describeTriggers(all), 'when less than 1.0 GiB are free, until 5% are; every 36 h')
})

test('a collection that ended is noted with its figures; a note that makes no sense is none', async (t) => {
  const store = await temporaryStore(t)
  assert.equal(lastCollection(store.paths), undefined)
  const { blocks } = await addTree(store, 'dead')
  const before = Date.now()
  await runCollection(store)
  const noted = lastCollection(store.paths)
  assert.equal(noted?.blocks, blocks)
  assert.ok((noted?.ended.getTime() ?? 0) >= before)
  await runCollection(store, {}, { dryRun: true })
  assert.deepEqual(lastCollection(store.paths), noted)
  const file = join(store.paths.var, 'last-collection.json')
  for (const text of [
    '',
    '{}',
    'null',
    '[]',
    '{"format":1,"ended":"never"}',
    readFileSync(file, 'utf8').slice(0, 40),
  ]) {
    writeFileSync(file, text)
    assert.equal(lastCollection(store.paths), undefined, text)
  }
  assert.equal(
    noteCollection({ var: join(store.paths.var, 'nowhere') }, await runCollection(store), 0).blocks,
    0,
  )
})

const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can mount a small file system'

test('a disk that fills up is made room on, and no more than was asked for', {
  skip: NOT_ROOT,
}, async (t) => {
  const directory = await temporaryDirectory(t)
  const mounted = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', directory])
  assert.equal(mounted.status, 0)
  try {
    const store = Store.open(join(directory, 'prefix'))
    const dag = new Dag()
    const cids = Array.from({ length: 30 }, (_, block) => dag.raw(Buffer.alloc(1_000_000, `${block} `)))
    await withAdd(store, (add) => add.put([...dag.blocks.values()]))
    store.close()
    // The last ones may be somebody's who is about to pin them.
    const old = new Date(Date.now() - HOUR)
    for (const cid of cids.slice(0, -5)) utimesSync(store.blocks.file(cid), old, old)
    writeFileSync(store.paths.config, '{"gc.minFree":"50%","gc.maxFree":"60%","gc.checkSeconds":1}')
    const free = () => {
      const { bavail, blocks } = statfsSync(directory)
      return (100 * bavail) / blocks
    }
    assert.ok(free() < 50)
    const collector = new AutoCollector(store.paths, openLog(store.paths.log, 'daemon'))
    collector.start()
    try {
      await until('there is room', () => collector.status.last !== undefined && !collector.status.running)
      // What the collection itself writes at its end takes some of it again.
      assert.ok(free() > 59 && free() < 65, `${free()}%`)
      assert.ok(cids.slice(-5).every((cid) => store.blocks.has(cid)))
      assert.equal(collector.status.last?.stopped, 'ensure-free')
      assert.match(
        readFileSync(store.paths.log, 'utf8'),
        /collecting: .* are free, which is less than .*\n.*daemon: collected \d+ blocks, .* MiB, and left 5 too young ones; .* are free/,
      )
      // All that may go, and still too little is free: that is tried once, and not every second.
      writeFileSync(store.paths.config, '{"gc.minFree":"95%","gc.checkSeconds":1}')
      const filler = join(directory, 'filler')
      writeFileSync(filler, Buffer.alloc(20_000_000))
      await until('the rest is gone', () => cids.slice(0, -5).every((cid) => !store.blocks.has(cid)))
      await until('it is at rest', () => collector.status.running === undefined)
      const { ended } = collector.status.last ?? {}
      await new Promise((resolve) => setTimeout(resolve, 2500))
      assert.deepEqual(collector.status.last?.ended, ended)
    } finally {
      collector.close()
      await until('its process has ended', () => collector.status.running === undefined)
    }
  } finally {
    spawnSync('/bin/umount', ['-l', directory])
  }
})

test('a setting that is wrong stops collections, and is told of', async (t) => {
  const store = await temporaryStore(t)
  writeFileSync(store.paths.config, '{"gc.checkSeconds":1}')
  const lines: string[] = []
  const collector = new AutoCollector(store.paths, (line) => void lines.push(line))
  collector.start()
  t.after(() => collector.close())
  writeFileSync(store.paths.config, '{"gc.minFree":"lots"}')
  await until('it is told', () => lines.length > 0)
  assert.match(lines[0] ?? '', /^no collection: .*"gc\.minFree" must be/)
  assert.match(collector.status.error?.message ?? '', /gc\.minFree/)
  // Mended: nothing of it is told any more, before the next look too.
  writeFileSync(store.paths.config, '{"gc.checkSeconds":3600}')
  assert.equal(collector.status.error, undefined)
})
