import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { followLog, openLog, tailLog } from '../../src/daemon/log.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('each event is one line with its time and its speaker', async (t) => {
  const file = join(await temporaryDirectory(t), 'pkg.log')
  openLog(file, 'daemon')('started')
  assert.match(readFileSync(file, 'utf8'), /^\d{4}-\d\d-\d\dT[\d:.]+Z daemon: started\n$/)
})

test('the tail is the last lines; of a missing log nothing', async (t) => {
  const file = join(await temporaryDirectory(t), 'pkg.log')
  assert.deepEqual(tailLog(file, 2), [])
  writeFileSync(file, 'a\nb\nc\n')
  assert.deepEqual(tailLog(file, 2), ['b', 'c'])
  assert.deepEqual(tailLog(file, 9, 4), ['c'])
})

test('a log that grew too large starts again and keeps its past beside it', async (t) => {
  const file = join(await temporaryDirectory(t), 'pkg.log')
  writeFileSync(file, 'x'.repeat(6 * 1024 * 1024))
  openLog(file, 'daemon')('next')
  assert.ok(statSync(file).size < 100)
  assert.equal(statSync(`${file}.1`).size, 6 * 1024 * 1024)
})

test('a log that cannot be written stops nobody', async (t) => {
  const file = join(await temporaryDirectory(t), 'gone', 'pkg.log')
  openLog(file, 'daemon')('started')
  assert.equal(existsSync(file), false)
})

test('following gives what is there and then what comes, whole lines only', async (t) => {
  const file = join(await temporaryDirectory(t), 'pkg.log')
  writeFileSync(file, 'old\n')
  const end = new AbortController()
  const seen: string[] = []
  for await (const line of followLog(file, 10, end.signal)) {
    seen.push(line)
    if (line === 'old') appendFileSync(file, 'ne')
    if (line === 'old') setTimeout(() => appendFileSync(file, 'w\nlast\n'), 300)
    if (line === 'last') end.abort()
  }
  assert.deepEqual(seen, ['old', 'new', 'last'])
})
