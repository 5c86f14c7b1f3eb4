// From checkouts to a mount and back, with the same profile: each hides the other, and harms nothing.

import assert from 'node:assert/strict'
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeProgram } from '../cli/harness.ts'
import { machine, NO_MOUNT } from '../e2e/machine.ts'

test('a prefix goes from checkouts to a mount and back', { skip: NO_MOUNT }, async (t) => {
  const box = await machine(t, { 'store.mode': 'checkout' })
  const setMode = (mode: string) => {
    writeFileSync(join(box.prefix, 'config.json'), JSON.stringify({ 'store.mode': mode }))
  }
  const pack = (says: string) => {
    return box.pack(makeProgram(join(box.directory, says), 'hello', says), `hello@${says}.0.0`)
  }
  const device = () => lstatSync(box.store()).dev
  await box.pkg('install', await pack('1'))
  const disk = device()

  setMode('mount')
  await box.pkg('install', await pack('2'))
  assert.notEqual(device(), disk)
  assert.equal(box.run('hello'), '2\n')
  await box.pkg('rollback')
  assert.equal(box.run('hello'), '1\n')
  await box.pkg('gc')

  // A mount that is served decides.
  setMode('checkout')
  assert.match(await box.pkg('daemon', 'status'), /^mode +mount/m)
  await box.pkg('daemon', 'stop')
  assert.equal(device(), disk)
  assert.equal(box.run('hello'), '1\n')
  // This one was made on the mount.
  await box.pkg('switch', '2')
  assert.equal(box.run('hello'), '2\n')
  assert.match(await box.pkg('store', 'verify'), /all good/)
  await box.pkg('daemon', 'start')
  assert.match(await box.pkg('daemon', 'status'), /^mode +checkout/m)
  await box.pkg('daemon', 'stop')

  // What is in force after a killed mount server and daemon: init takes the dead mount away.
  setMode('mount')
  await box.pkg('daemon', 'start')
  const { pid, mountPid } = JSON.parse(await box.pkg('daemon', 'status', '--json')) as Record<string, number>
  for (const victim of [pid, mountPid]) process.kill(victim as number, 'SIGKILL')
  setMode('checkout')
  await box.pkg('init')
  assert.equal(device(), disk)
  assert.equal(box.run('hello'), '2\n')
})
