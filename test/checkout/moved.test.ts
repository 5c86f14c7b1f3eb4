// A prefix in checkout mode that was moved with what is installed in it: `doctor` tells,
// and the next switch, or its daemon, has the programs run again.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { userName } from '../../src/paths.ts'
import { makeProgram } from '../cli/harness.ts'
import { machine } from '../e2e/machine.ts'

test('a moved prefix is told of by doctor, and mended by a switch', async (t) => {
  const box = await machine(t, { 'store.mode': 'checkout' })
  const moved = `${box.prefix}-moved`
  await box.pkg(
    'install',
    await box.pack(makeProgram(join(box.directory, 'x'), 'hello', 'hello'), 'hello@1.0.0'),
  )
  await box.pkg('daemon', 'stop')
  renameSync(box.prefix, moved)
  const there = { PKG_PREFIX: moved }
  const program = join(moved, 'profiles', 'per-user', userName(), 'current', 'bin', 'hello')
  const run = () => execFileSync(program, { encoding: 'utf8', stdio: 'pipe' })
  assert.throws(run, { code: 'ENOENT' })
  const doctor = await box.try(['doctor'], there)
  assert.equal(doctor.status, 4)
  assert.match(doctor.stdout, /generation 1 cannot run: its trees lead to \S+\/prefix\/store/)
  assert.equal((await box.try(['switch', '1'], there)).status, 0)
  assert.equal(run(), 'hello\n')
  assert.doesNotMatch((await box.try(['doctor'], there)).stdout, /lead to/)
  await box.try(['daemon', 'stop', '--force'], there)
})
