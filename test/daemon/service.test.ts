// The systemd unit of examples/: its commands are run as systemd would run them, in a prefix of the test's own.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPidFile } from '../../src/files/pid-file.ts'
import { mountState } from '../../src/mount/mountpoint.ts'
import { prefixPaths } from '../../src/paths.ts'
import { daemonPrefix, running, WITHOUT_FUSE } from './prefix.ts'

const ROOT = join(import.meta.dirname, '../..')
const UNIT = readFileSync(join(ROOT, 'examples/pkg.service'), 'utf8')

/** The value of a directive that occurs once. */
function directive(name: string): string {
  const [value, ...more] = [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((match) => match[1])
  assert.ok(value !== undefined && more.length === 0, name)
  return value
}

test('the pid file is the one that the daemon of that prefix writes', () => {
  const [name, prefix] = directive('Environment').split('=')
  assert.equal(name, 'PKG_PREFIX')
  assert.equal(directive('PIDFile'), prefixPaths(prefix ?? '').daemonPid)
})

test('start leaves the process of the pid file behind, stop ends it and unmounts', {
  skip: WITHOUT_FUSE,
}, async (t) => {
  const paths = await daemonPrefix(t)
  const run = (command: string) => {
    const [program, ...args] = command.split(' ')
    assert.equal(program, '/usr/local/bin/pkg')
    const env = { PKG_PREFIX: paths.root, PATH: '/usr/bin:/bin' }
    return spawnSync(join(ROOT, 'src/cli/pkg'), args, { env, encoding: 'utf8' })
  }
  const started = run(directive('ExecStart'))
  assert.equal(started.status, 0, started.stderr)
  // systemd reads the first line, and watches that process.
  const [line] = readFileSync(paths.daemonPid, 'utf8').split('\n')
  assert.equal(Number(line), running(paths.daemonPid).pid)
  const stopped = run(directive('ExecStop'))
  assert.equal(stopped.status, 0, stopped.stderr)
  assert.equal(readPidFile(paths.daemonPid), undefined)
  assert.equal(mountState(paths), 'none')
})
