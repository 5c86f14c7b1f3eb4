// A private prefix whose daemon does not run, as after a restart of the machine: whoever looks at what is installed is
// told that it cannot run, and what to do.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { WITHOUT_FUSE } from '../daemon/prefix.ts'
import { makeProgram, outcome, sandbox } from './harness.ts'

const SAID =
  /What is installed cannot run from .*\/store: nothing is mounted there\nhint: Run `pkg daemon start`\./

/** What shows a profile with two generations. */
const SHOWING = [['list'], ['which', 'odd'], ['info', 'odd'], ['history'], ['diff']]

test('what shows the profile says that nothing is mounted, and the hint mends it', {
  skip: WITHOUT_FUSE,
}, async (t) => {
  const box = await sandbox(t)
  const program = makeProgram(join(box.directory, 'p'), 'odd', 'here')
  const before = await box.run(['list'])
  assert.doesNotMatch(before.stderr, SAID)
  assert.equal((await box.run(['install', program, '--as', 'odd@1.0.0'])).status, 0)
  await box.brief('install', makeProgram(join(box.directory, 'q'), 'even', 'here'), '--as', 'even@1.0.0')
  assert.equal((await box.run(['list'])).stderr, '')
  assert.equal((await box.run(['daemon', 'stop'])).status, 0)
  for (const words of SHOWING) {
    const { status, stderr } = await box.run(words)
    assert.equal(status, 0, stderr)
    assert.match(stderr, SAID, words.join(' '))
    const { mount } = await box.json<{ mount?: object }>(...words)
    const hint = 'Run `pkg daemon start`.'
    const told = { mode: 'mount', mounted: false, reason: 'nothing is mounted there', hint }
    assert.deepEqual(mount, told, words.join(' '))
  }
  const doctor = await box.run(['doctor'])
  assert.equal(doctor.status, 8)
  assert.match(doctor.stdout, /is not mounted: what is installed cannot run/)
  assert.equal((await box.run(['daemon', 'start'])).status, 0)
  for (const words of SHOWING) {
    assert.doesNotMatch((await box.run(words)).stderr, SAID, words.join(' '))
    const { mount } = await box.json<{ mount?: object }>(...words)
    assert.deepEqual(mount, { mode: 'mount', mounted: true }, words.join(' '))
  }
  assert.equal((await box.run(['doctor'])).status, 0)
  const run = await outcome([join(box.home, '.pkg-profile/bin/odd')], { cwd: '/', env: box.env })
  assert.equal(run.stdout, 'here\n')
})

test('in checkout mode nothing has to be mounted', async (t) => {
  const box = await sandbox(t)
  mkdirSync(box.prefix)
  writeFileSync(join(box.prefix, 'config.json'), '{"store.mode": "checkout"}')
  const program = makeProgram(join(box.directory, 'p'), 'odd', 'here')
  assert.equal((await box.run(['install', program, '--as', 'odd@1.0.0'])).status, 0)
  assert.equal((await box.run(['daemon', 'stop'])).status, 0)
  assert.equal((await box.run(['list'])).stderr, '')
})
