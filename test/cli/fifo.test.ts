// A FIFO in the place of a file that is read: it may be waited for, and the waiting can be ended.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { makeProgram, START, sandbox } from './harness.ts'

test('a CAR comes through a FIFO, and one that nobody writes is left at a signal', async (t) => {
  const box = await sandbox(t)
  const source = makeProgram(join(box.directory, 'tool'), 'tool', 'hello')
  const cid = await box.brief('store', 'add', source, '--pin', 'tool')
  await box.brief('store', 'export', cid, join(box.directory, 'tool.car'))
  const fifo = join(box.directory, 'fifo')
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0)
  const other = { env: { PKG_PREFIX: join(box.directory, 'other') } }
  const coming = box.run(['store', 'import', fifo, '--quiet'], other)
  createWriteStream(fifo).end(readFileSync(join(box.directory, 'tool.car')))
  const { status, stdout, stderr } = await coming
  assert.deepEqual([status, stdout.trim()], [0, cid], stderr)

  const child = spawn(process.execPath, [START, 'store', 'import', fifo], { env: box.env, stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  // Until it stands there: before that a signal ends it anyway.
  await delay(15_000)
  child.kill('SIGINT')
  const [code] = (await Promise.race([ended, delay(60_000, ['still there'], { ref: false })])) as [unknown]
  assert.equal(code, 130)
})
