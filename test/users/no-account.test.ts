// A uid that the machine has no account for: containers run as any (`--user 1234`), and a directory server may be away.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { START } from '../cli/harness.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const UID = 1_999_999_998
const options = { skip: process.getuid?.() !== 0 && 'only root becomes another user' }

async function machine(t: TestContext) {
  const directory = await temporaryDirectory(t)
  chmodSync(directory, 0o755)
  for (const name of ['home', 'prefix', 'hello/bin']) mkdirSync(join(directory, name), { recursive: true })
  for (const name of ['home', 'prefix']) chownSync(join(directory, name), UID, UID)
  writeFileSync(join(directory, 'hello/bin/hello'), '#!/bin/sh\necho hello from "$0"\n', { mode: 0o755 })
  const home = join(directory, 'home')
  const run = (words: string[], env: NodeJS.ProcessEnv = {}) => {
    const { LOGNAME: _, USER: __, HOME: ___, ...others } = process.env
    return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', START, ...words], {
      cwd: directory,
      env: { ...others, HOME: home, PKG_PREFIX: join(directory, 'prefix'), ...env },
      encoding: 'utf8',
      uid: UID,
      gid: UID,
    })
  }
  t.after(() => run(['daemon', 'stop', '--force']))
  return { directory, home, run }
}

test('has a prefix and a profile of its own, by its number', options, async (t) => {
  const { directory, home, run } = await machine(t)
  for (const words of [
    ['init'],
    ['install', './hello', '--as', 'hello@1.0.0'],
    ['list'],
    ['roots'],
    ['doctor'],
    ['gc'],
  ]) {
    const { status, stderr } = run(words)
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`)
  }
  assert.deepEqual(readdirSync(join(directory, 'prefix/profiles/per-user')), [`uid-${UID}`])
  const program = join(home, '.pkg-profile/bin/hello')
  const ran = spawnSync(program, { encoding: 'utf8', uid: UID, gid: UID })
  assert.equal(ran.stdout, `hello from ${program}\n`)
})

test('without HOME it is told to set it', options, async (t) => {
  const { run } = await machine(t)
  const { status, stderr } = run(['init'], { HOME: '' })
  assert.equal(status, 3, stderr)
  assert.match(stderr, /uid 1999999998 has no account here.*\nhint: Set HOME/)
})
