// `pkg init --start-at-login`: what it writes has the daemon start, `pkg doctor` sees it, and nothing is written
// unasked.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { launcher } from '../../src/entry.ts'
import { mountState } from '../../src/mount/mountpoint.ts'
import { prefixPaths } from '../../src/paths.ts'
import { until, WITHOUT_FUSE } from '../daemon/prefix.ts'
import { makeProgram, outcome, type Sandbox, sandbox } from './harness.ts'

const skip = WITHOUT_FUSE

async function said(box: Sandbox, env: NodeJS.ProcessEnv): Promise<string> {
  return (await box.run(['doctor'], { env })).stdout
}

test('without a manager of the user the line in the shell’s file starts the daemon', { skip }, async (t) => {
  const box = await sandbox(t)
  const env = { XDG_RUNTIME_DIR: box.directory }
  const file = join(box.home, '.bashrc')
  const init = async (...words: string[]) => {
    const { status, stdout, stderr } = await box.run(['init', '--no-mount', ...words], { env })
    assert.equal(status, 0, stderr)
    return stdout
  }
  const offered = await init()
  assert.match(offered, /at login +the daemon does not start; `pkg init --start-at-login` writes .*\.bashrc/)
  assert.ok(!existsSync(file))
  assert.match(await said(box, env), /start +starts at login: no\n.*`pkg init --start-at-login`/)

  writeFileSync(file, 'alias x=y\n')
  assert.match(await init('--start-at-login'), /at login +the daemon starts, by .*\.bashrc/)
  const text = readFileSync(file, 'utf8')
  await init('--start-at-login')
  await init()
  assert.equal(readFileSync(file, 'utf8'), text)
  assert.match(await said(box, env), /start +starts at login: yes, by .*\.bashrc/)

  await box.brief('install', makeProgram(join(box.directory, 'p'), 'odd', 'here'), '--as', 'odd@1.0.0')
  assert.equal((await box.run(['daemon', 'stop'])).status, 0)
  execFileSync('bash', ['-c', `. '${file}'`], { env: { ...box.env, PKG_PREFIX: '' } })
  await until('the new shell has mounted it', () => mountState(prefixPaths(box.prefix)) === 'mounted')
  const ran = await outcome([join(box.home, '.pkg-profile/bin/odd')], { cwd: '/', env: box.env })
  assert.equal(ran.stdout, 'here\n')

  await init('--no-start-at-login')
  assert.equal(readFileSync(file, 'utf8'), 'alias x=y\n')
})

test('where the user’s manager runs a unit of it is enabled, and no file of the shell is written', {
  skip,
}, async (t) => {
  const box = await sandbox(t)
  const env = { XDG_RUNTIME_DIR: box.directory }
  mkdirSync(join(box.directory, 'systemd'))
  writeFileSync(join(box.directory, 'systemd', 'private'), '')
  const unit = join(box.home, '.config/systemd/user/pkg.service')
  const link = join(box.home, '.config/systemd/user/default.target.wants/pkg.service')
  const init = (...words: string[]) => box.run(['init', '--no-mount', ...words], { env })
  await init()
  assert.ok(!existsSync(unit))
  assert.match(await said(box, env), /starts at login: no\n/)
  assert.match((await init('--start-at-login')).stdout, /at login +the daemon starts, by .*pkg\.service/)
  const text = readFileSync(unit, 'utf8')
  assert.ok(text.includes(`ExecStart="${launcher()}" daemon start\n`))
  assert.ok(text.includes(`"PKG_PREFIX=${box.prefix}"`))
  assert.equal(readFileSync(link, 'utf8'), text)
  assert.match(await said(box, env), /starts at login: yes, by .*pkg\.service/)
  assert.ok(!existsSync(join(box.home, '.bashrc')))
  await init('--no-start-at-login')
  assert.ok(!existsSync(unit) && lstatSync(link, { throwIfNoEntry: false }) === undefined)

  writeFileSync(unit, '[Unit]\n')
  const foreign = await init('--start-at-login')
  assert.equal(foreign.status, 5)
  assert.equal(readFileSync(unit, 'utf8'), '[Unit]\n')
})

test('who works in somebody else’s prefix is told whose daemon it is', {
  skip: process.getuid?.() !== 0 && 'needs root, to be another user',
}, async (t) => {
  const box = await sandbox(t)
  mkdirSync(box.prefix)
  const { status, stderr } = await outcome(['chown', '65534', box.prefix], { cwd: '/', env: box.env })
  assert.equal(status, 0, stderr)
  const done = await box.run(['init', '--no-mount', '--start-at-login'])
  assert.equal(done.status, 7)
  assert.match(done.stderr, /is its owner’s to start\nhint: Have the owner run/)
})
