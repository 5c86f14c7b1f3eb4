// kill -9 as normal input: of `pkg install` at every named step, of the mount server,
// of the daemon. The profile is the old or the new one, a rerun succeeds, and what was
// reported done is there.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CHANGE_STEPS } from '../../src/profiles/write.ts'
import { makeProgram } from '../cli/harness.ts'
import { machine, NO_MOUNT } from './machine.ts'

/** There has to be a mount server to kill. */
const options = { skip: NO_MOUNT }
const box = await machine({ after })

before(async () => {
  await box.pkg('install', '--quiet', await packed('base', 'base'))
})

async function packed(name: string, says: string): Promise<string> {
  const directory = join(box.directory, `${name}-${says}`)
  mkdirSync(directory)
  return box.pack(makeProgram(directory, name, says), `${name}@1.0.0`)
}

async function installed(): Promise<string[]> {
  const { packages } = JSON.parse(await box.pkg('list', '--json')) as { packages: { name: string }[] }
  return packages.map(({ name }) => name)
}

for (const step of CHANGE_STEPS) {
  test(`install killed at "${step}": old or new profile, and a rerun succeeds`, async () => {
    const name = `at-${step}`
    const cid = await packed(name, 'new')
    const before = await installed()
    const killed = await box.try(['install', cid], { PKG_TEST_KILL_AT: `profile:${step}` })
    assert.equal(killed.signal, 'SIGKILL')
    const left = await installed()
    assert.ok(left.length === before.length || left.length === before.length + 1)
    for (const program of before) assert.match(box.run(program), /\S/)
    await box.pkg('gc')
    await box.pkg('install', cid)
    assert.deepEqual(await installed(), [...before, name].sort())
    assert.equal(box.run(name).trim(), 'new')
  })
}

/** Waits until the program answers; the daemon has a bound of its own to bring the mount back. */
async function eventuallyRuns(program: string, says: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await delay(50)) {
    try {
      assert.equal(box.run(program).trim(), says)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

function kill(file: string): void {
  process.kill(Number(readFileSync(join(box.prefix, 'var', file), 'utf8').split('\n')[0]), 'SIGKILL')
}

test('the mount server killed: the daemon brings it back', options, async () => {
  kill('mount.pid')
  await eventuallyRuns('base', 'base')
})

test('the daemon killed: the mount does not notice, the next command starts another', options, async () => {
  kill('daemon.pid')
  assert.equal(box.run('base').trim(), 'base')
  await box.pkg('daemon', 'start')
  assert.equal(box.run('base').trim(), 'base')
})

test('both killed: the next command replaces the stale mount', options, async () => {
  kill('daemon.pid')
  kill('mount.pid')
  await box.pkg('daemon', 'start')
  await eventuallyRuns('base', 'base')
})
