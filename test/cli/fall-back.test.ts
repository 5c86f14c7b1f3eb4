// A machine that has all that a mount needs, and where mount(2) fails all the same.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeProgram, outcome, sandbox } from './harness.ts'
import { runWhereMountingFails, WITHOUT_USER_NAMESPACE } from './no-mount.ts'

test('init falls back to checkouts, says why, and programs run', {
  skip: WITHOUT_USER_NAMESPACE,
}, async (t) => {
  const box = await sandbox(t)
  const made = await runWhereMountingFails(box, ['init'])
  assert.equal(made.status, 0, made.stderr + made.stdout)
  assert.match(made.stdout, /checkout mode/)
  assert.match(made.stdout, /mounting failed: .*cannot be mounted/s)
  assert.match(readFileSync(join(box.prefix, 'config.json'), 'utf8'), /"store.mode": "checkout"/)
  const program = makeProgram(join(box.directory, 'p'), 'odd', 'here')
  const installed = await runWhereMountingFails(box, ['install', program, '--as', 'odd@1.0.0'])
  assert.equal(installed.status, 0, installed.stderr)
  const run = await outcome([join(box.home, '.pkg-profile/bin/odd')], { cwd: '/', env: box.env })
  assert.equal(run.stdout, 'here\n')
})
