// A process may be killed at any instant of taking, holding and releasing a lock; the next one must not wait for it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { withLock } from '../../src/files/lock.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const KILLS = 20
/** Far below the 10 s after which a lock is stale, far above what a busy machine needs. */
const AT_ONCE_MS = 4000

test('a lock is free at once wherever in taking or releasing it its holder was killed', async (t) => {
  const file = join(await temporaryDirectory(t), 'lock')
  const source = `
    import { withLock } from ${JSON.stringify(new URL('../../src/files/lock.ts', import.meta.url).href)}
    console.log('begun')
    for (;;) await withLock(${JSON.stringify(file)}, () => {})`
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await delay(kill)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const begun = Date.now()
    await withLock(file, () => {})
    assert.ok(Date.now() - begun < AT_ONCE_MS, `kill ${kill}: waited ${Date.now() - begun} ms`)
  }
})
