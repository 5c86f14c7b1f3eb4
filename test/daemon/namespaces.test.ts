// One prefix, several pid or mount namespaces, as where containers share it: there is one daemon
// all the same, and whoever cannot look it up says where it is.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { entryPoint } from '../../src/entry.ts'
import { isElsewhere, isRunning, readPidFile, runningProcess } from '../../src/files/pid-file.ts'
import { isListening } from '../../src/files/socket.ts'
import type { PrefixPaths } from '../../src/paths.ts'
import { Store } from '../../src/store/store.ts'
import { daemonPrefix, until, WITHOUT_FUSE } from './prefix.ts'

const UNSHARE = ['--pid', '--fork', '--kill-child', '--mount-proc']
const START = join(import.meta.dirname, '..', '..', 'src', 'cli', 'start.ts')

const skip =
  spawnSync('unshare', [...UNSHARE, 'true']).status === 0 ? false : 'no pid namespace can be made here'

async function checkoutPrefix(t: TestContext): Promise<PrefixPaths> {
  const paths = await daemonPrefix(t)
  Store.open(paths.root).close()
  writeFileSync(paths.config, '{"store.mode": "checkout"}')
  return paths
}

/** Runs `pkg` here, or in a pid namespace of its own. */
function pkg(paths: PrefixPaths, words: string[], { apart = false } = {}) {
  const line = [process.execPath, '--disable-warning=ExperimentalWarning', START, ...words]
  const [command, ...args] = apart ? ['unshare', ...UNSHARE, ...line] : line
  return spawnSync(command as string, args, {
    env: { ...process.env, PKG_PREFIX: paths.root, HOME: paths.root },
    encoding: 'utf8',
    timeout: 30_000,
  })
}

/** A daemon in a pid namespace of its own; gives the function that kills it. */
async function daemonApart(t: TestContext, paths: PrefixPaths): Promise<() => Promise<void>> {
  const child = spawn(
    'unshare',
    [...UNSHARE, process.execPath, entryPoint('daemon'), '--prefix', paths.root],
    {
      stdio: 'ignore',
    },
  )
  const end = async () => {
    child.kill('SIGKILL')
    await until('its socket is deaf', async () => !(await isListening(paths.daemonSocket)))
  }
  t.after(end)
  await until('it listens', () => isListening(paths.daemonSocket))
  return end
}

test('a daemon of this pid namespace is not displaced from another one, nor stopped', { skip }, async (t) => {
  const paths = await checkoutPrefix(t)
  assert.equal(pkg(paths, ['daemon', 'start']).status, 0)
  const daemon = runningProcess(paths.daemonPid)
  assert.ok(daemon)
  const where = new RegExp(`in another pid namespace \\(process ${daemon.pid} there\\)`)
  for (const [words, status] of [
    [['daemon', 'start'], 6],
    [['daemon', 'stop'], 7],
    [['daemon', 'restart'], 7],
  ] as const) {
    const done = pkg(paths, [...words], { apart: true })
    assert.equal(done.status, status, done.stderr)
    assert.match(done.stderr, where)
  }
  const told = pkg(paths, ['daemon', 'status'], { apart: true })
  assert.match(told.stdout, /running \(process \d+ of another pid namespace\)/)
  assert.deepEqual(runningProcess(paths.daemonPid), daemon)
  assert.ok(isRunning(daemon))
  assert.equal(pkg(paths, ['daemon', 'stop']).status, 0)
})

test('a daemon that was killed in another pid namespace leaves the way free', { skip }, async (t) => {
  const paths = await checkoutPrefix(t)
  const kill = await daemonApart(t, paths)
  const apart = readPidFile(paths.daemonPid)
  assert.ok(apart && isElsewhere(apart))
  assert.equal(pkg(paths, ['daemon', 'start']).status, 6)
  await kill()
  assert.ok(runningProcess(paths.daemonPid), 'its pid file alone cannot tell')
  const started = pkg(paths, ['daemon', 'start'])
  assert.equal(started.status, 0, started.stderr)
  assert.ok(isRunning(readPidFile(paths.daemonPid) ?? assert.fail()))
})

test('a daemon that answers is not displaced, whatever its pid file says', async (t) => {
  const paths = await checkoutPrefix(t)
  assert.equal(pkg(paths, ['daemon', 'start']).status, 0)
  const daemon = readPidFile(paths.daemonPid) ?? assert.fail()
  // Stopped: else it would notice within a second, and end.
  process.kill(daemon.pid, 'SIGSTOP')
  t.after(() => isRunning(daemon) && process.kill(daemon.pid, 'SIGKILL'))
  for (const text of [undefined, '1\n1\nanother boot\n', 'garbage']) {
    if (text === undefined) rmSync(paths.daemonPid)
    else writeFileSync(paths.daemonPid, text)
    const words = [entryPoint('daemon'), '--prefix', paths.root]
    const second = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 20_000 })
    assert.equal(second.status, 6, second.stderr)
    assert.match(second.stderr, /runs for .* already: it answers at .*daemon\.sock/)
  }
  process.kill(daemon.pid, 'SIGCONT')
  await until('it has ended', () => !isRunning(daemon))
})

const noMounts =
  WITHOUT_FUSE ||
  (spawnSync('unshare', ['--mount', '--propagation', 'private', 'true']).status === 0
    ? false
    : 'no mount namespace can be made here')

test('a mount of another mount namespace is named, with the way out, and lives on until that is forced', {
  skip: noMounts,
}, async (t) => {
  const paths = await daemonPrefix(t)
  const apart = ['--mount', '--propagation', 'private', process.execPath]
  const line = [...apart, '--disable-warning=ExperimentalWarning', START, 'daemon', 'start']
  const env = { ...process.env, PKG_PREFIX: paths.root, HOME: paths.root }
  const made = spawnSync('unshare', line, { env, encoding: 'utf8', timeout: 60_000 })
  assert.equal(made.status, 0, made.stderr)
  const server = runningProcess(paths.mountPid) ?? assert.fail()
  const where = new RegExp(`in another mount namespace \\(process ${server.pid}\\)`)
  const way = /nsenter --mount --target \d+.*`pkg daemon stop --force`, then `pkg daemon start`/
  for (const [words, status] of [
    [['daemon', 'start'], 6],
    [['daemon', 'restart'], 6],
    [['daemon', 'stop'], 6],
    [['doctor'], 8],
  ] as const) {
    const done = pkg(paths, [...words])
    assert.equal(done.status, status, done.stderr)
    assert.match(done.stdout + done.stderr, where)
    assert.match(done.stdout + done.stderr, way)
  }
  const told = pkg(paths, ['daemon', 'status'])
  assert.match(told.stdout, /not mounted at .* in this mount namespace/)
  assert.match(told.stdout, way)
  assert.ok(isRunning(server))
  assert.equal(pkg(paths, ['daemon', 'stop', '--force']).status, 0)
  assert.ok(!isRunning(server))
  const started = pkg(paths, ['daemon', 'start'])
  assert.equal(started.status, 0, started.stderr)
})
