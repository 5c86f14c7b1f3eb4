// The systemd units that `pkg init` writes: systemd takes them as they are, and their commands are run as it would run
// them, in a prefix of the test's own.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { serviceUnit } from '../../src/cli/shell/service-unit.ts'
import { launcher } from '../../src/entry.ts'
import { readPidFile } from '../../src/files/pid-file.ts'
import { findSystemCommand } from '../../src/files/system-command.ts'
import { mountState } from '../../src/mount/mountpoint.ts'
import { type PrefixPaths, prefixPaths } from '../../src/paths.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { daemonPrefix, running, WITHOUT_FUSE } from './prefix.ts'

const ANALYZE = findSystemCommand('systemd-analyze')
const SCOPES = ['system', 'user'] as const

/** The value of a directive that occurs once. */
function directive(unit: string, name: string): string {
  const [value, ...more] = [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((match) => match[1])
  assert.ok(value !== undefined && more.length === 0, name)
  return value
}

test('the pid file is the one that the daemon of that prefix writes, and the program is the installed one', () => {
  const unit = serviceUnit(prefixPaths('/ipfs'), { program: launcher(), scope: 'system' })
  assert.equal(directive(unit, 'Environment'), '"PKG_PREFIX=/ipfs"')
  assert.equal(directive(unit, 'PIDFile'), prefixPaths('/ipfs').daemonPid)
  const version = spawnSync(launcher(), ['--version'], { encoding: 'utf8' })
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/, version.stderr)
})

for (const scope of SCOPES) {
  test(`systemd finds nothing wrong with the unit of the ${scope}, also where paths are odd`, {
    skip: ANALYZE === undefined && 'systemd-analyze is not installed',
  }, async (t) => {
    const directory = await temporaryDirectory(t)
    for (const [index, name] of ['plain', 'a 100% "odd" \\ $HOME place'].entries()) {
      const place = join(directory, name)
      mkdirSync(place)
      symlinkSync(launcher(), join(place, 'pkg'))
      const unit = serviceUnit(prefixPaths(place), { program: join(place, 'pkg'), scope })
      const file = join(directory, `pkg-${index}.service`)
      writeFileSync(file, unit)
      const env = { PATH: '/usr/bin:/bin', HOME: directory, XDG_RUNTIME_DIR: directory }
      const words = [...(scope === 'user' ? ['--user'] : []), 'verify', '--man=no', file]
      const { status, stdout, stderr } = spawnSync(ANALYZE as string, words, { env, encoding: 'utf8' })
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' }, name)
    }
  })

  test(`the unit of the ${scope}: start leaves the daemon behind, stop ends it and unmounts`, {
    skip: WITHOUT_FUSE,
  }, async (t) => {
    const paths = await daemonPrefix(t)
    const unit = serviceUnit(paths, { program: launcher(), scope })
    const started = run(unit, 'ExecStart', paths)
    assert.equal(started.status, 0, started.stderr)
    // systemd reads the first line, and watches that process.
    const [line] = readFileSync(paths.daemonPid, 'utf8').split('\n')
    assert.equal(Number(line), running(paths.daemonPid).pid)
    const stopped = run(unit, 'ExecStop', paths)
    assert.equal(stopped.status, 0, stopped.stderr)
    assert.equal(readPidFile(paths.daemonPid), undefined)
    assert.equal(mountState(paths), 'none')
  })
}

function run(unit: string, name: string, paths: PrefixPaths) {
  const [, program = '', words = ''] = /^"(.*)" (.*)$/.exec(directive(unit, name)) ?? assert.fail(name)
  const env = { PKG_PREFIX: paths.root, PATH: '/usr/bin:/bin' }
  return spawnSync(program, words.split(' '), { env, encoding: 'utf8' })
}
