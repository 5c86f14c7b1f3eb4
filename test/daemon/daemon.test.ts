// The daemon and the mount server as processes: started, adopted, killed at any time, ended.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'
import { daemonState, ensureDaemon, isServing, stopDaemon } from '../../src/daemon/client/client.ts'
import { servingProcess } from '../../src/daemon/mount/mount-process.ts'
import { entryPoint } from '../../src/entry.ts'
import { isRunning, readPidFile, runningProcess } from '../../src/files/pid-file.ts'
import { mountState, unmount } from '../../src/mount/mountpoint.ts'
import { prefixPaths } from '../../src/paths.ts'
import { daemonPrefix, kill9, running, until, WITHOUT_FUSE } from './prefix.ts'

const options = { skip: WITHOUT_FUSE }

test('the first call starts and mounts, the second finds it running', options, async (t) => {
  const paths = await daemonPrefix(t)
  assert.equal(await ensureDaemon(paths), true)
  assert.equal(mountState(paths), 'mounted')
  assert.equal(await ensureDaemon(paths), false)
})

test('many who start it at once get one daemon and one mount server', options, async (t) => {
  const paths = await daemonPrefix(t)
  await Promise.all([1, 2, 3, 4].map(() => ensureDaemon(paths)))
  const [daemon, server] = [running(paths.daemonPid), running(paths.mountPid)]
  await Promise.all([1, 2, 3, 4].map(() => ensureDaemon(paths)))
  assert.deepEqual([running(paths.daemonPid), running(paths.mountPid)], [daemon, server])
})

test('the mount outlives a killed daemon, and the next daemon adopts it', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  const server = running(paths.mountPid)
  await kill9(paths.daemonPid)
  assert.equal(mountState(paths), 'mounted')
  assert.equal(await ensureDaemon(paths), true)
  assert.deepEqual(running(paths.mountPid), server)
  await until('it says so', async () => (await daemonState(paths)).status?.mount.adopted === true)
})

test('a killed mount server is replaced', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  // Killed before the daemon has seen it serve, it would count as a start that failed.
  const known = async () => (await daemonState(paths)).status?.mount.pid === servingProcess(paths)?.pid
  await until('the daemon knows its server', known)
  for (let round = 1; round <= 3; round += 1) {
    const victim = await kill9(paths.mountPid)
    await until('another server serves', () => (servingProcess(paths)?.pid ?? victim.pid) !== victim.pid)
    await until('the daemon knows it', known)
    assert.deepEqual(readdirSync(paths.store), [])
  }
  assert.equal((await daemonState(paths)).status?.mount.restarts, 3)
})

test('a mount server that is killed while somebody waits for it is no failure', options, async (t) => {
  const paths = await daemonPrefix(t)
  const waiting = ensureDaemon(paths)
  await until('a mount server mounts', () => runningProcess(paths.mountPid) !== undefined)
  await kill9(paths.mountPid)
  await waiting
  await until('another one serves', () => isServing(paths))
})

test('a stale mount of two killed processes is replaced at the next start', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  await kill9(paths.daemonPid)
  await kill9(paths.mountPid)
  assert.equal(mountState(paths), 'stale')
  assert.equal(await ensureDaemon(paths), true)
  assert.deepEqual(readdirSync(paths.store), [])
})

test('a daemon that is killed while it starts leaves the way free', options, async (t) => {
  const paths = await daemonPrefix(t)
  for (const wait of [30, 80, 150, 250]) {
    const child = spawn(process.execPath, [entryPoint('daemon'), '--prefix', paths.root], { stdio: 'ignore' })
    await new Promise((resolve) => setTimeout(resolve, wait))
    child.kill('SIGKILL')
  }
  await ensureDaemon(paths)
  assert.equal(isServing(paths), true)
})

test('a mount that somebody took away comes back', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  await unmount(paths.store)
  await until('it is mounted again', () => isServing(paths))
})

test('a daemon that dies while somebody waits for it is started again', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  await kill9(paths.mountPid)
  process.kill(running(paths.daemonPid).pid, 'SIGKILL')
  await ensureDaemon(paths)
  assert.equal(isServing(paths), true)
})

test('SIGTERM unmounts and leaves no file and no process', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  const [daemon, server] = [running(paths.daemonPid), running(paths.mountPid)]
  process.kill(daemon.pid, 'SIGTERM')
  await until('the daemon has ended', () => !isRunning(daemon))
  assert.equal(isRunning(server), false)
  assert.equal(mountState(paths), 'none')
  const left = [paths.daemonPid, paths.daemonSocket, paths.mountPid, paths.mountSocket].filter(existsSync)
  assert.deepEqual(left, [])
})

test('SIGHUP ends the daemon and leaves the mount to the next', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  const [daemon, server] = [running(paths.daemonPid), running(paths.mountPid)]
  process.kill(daemon.pid, 'SIGHUP')
  await until('the daemon has ended', () => !isRunning(daemon))
  assert.equal(isRunning(server), true)
  assert.equal(mountState(paths), 'mounted')
})

test('stop ends a mount server whose daemon was killed', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  await kill9(paths.daemonPid)
  assert.deepEqual(await stopDaemon(paths), { daemon: false, mount: true })
  assert.equal(mountState(paths), 'none')
})

test('stop takes a stale mount away', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  await kill9(paths.daemonPid)
  await kill9(paths.mountPid)
  assert.equal(mountState(paths), 'stale')
  await stopDaemon(paths)
  assert.equal(mountState(paths), 'none')
})

test('stop with nothing there does nothing', async (t) => {
  const paths = await daemonPrefix(t)
  assert.deepEqual(await stopDaemon(paths), { daemon: false, mount: false })
})

test('a pid file whose pid now belongs to another process counts for nothing', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  const boot = readPidFile(paths.daemonPid)?.boot
  await stopDaemon(paths)
  writeFileSync(paths.daemonPid, `${process.pid}\n1\n${boot}\n`)
  writeFileSync(paths.mountPid, `${process.pid}\n1\n${boot}\n`)
  assert.equal(await ensureDaemon(paths), true)
})

test('a daemon whose pid file is gone ends and unmounts', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  const daemon = running(paths.daemonPid)
  rmSync(paths.daemonPid)
  await until('it has ended', () => !isRunning(daemon))
  assert.equal(mountState(paths), 'none')
})

test('a second daemon of a prefix refuses with exit status 6', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  const child = spawn(process.execPath, [entryPoint('daemon'), '--prefix', paths.root])
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const status = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(status, 6)
  assert.match(said, /runs for .* already/)
})

test('works under a prefix that a symlink leads to', options, async (t) => {
  const real = await daemonPrefix(t)
  const paths = prefixPaths(`${real.root}/link`)
  symlinkSync('.', paths.root)
  await ensureDaemon(paths)
  assert.equal(mountState(paths), 'mounted')
  assert.deepEqual(await stopDaemon(paths), { daemon: true, mount: true })
  assert.equal(mountState(real), 'none')
})

test('works under a prefix longer than the path of a socket may be', options, async (t) => {
  const paths = await daemonPrefix(t, 'long'.repeat(30))
  await ensureDaemon(paths)
  await until(
    'both sockets answer',
    async () => (await daemonState(paths)).status?.mount.server !== undefined,
  )
  await stopDaemon(paths)
})

test(
  'a prefix that is moved away while it is mounted is not made again at its old place',
  options,
  async (t) => {
    const paths = await daemonPrefix(t, 'prefix')
    const moved = prefixPaths(`${paths.root}-moved`)
    await ensureDaemon(paths)
    // One that is still starting is killed, and its mount is left to the next daemon.
    await until('it is up', async () => (await daemonState(paths)).status?.mount.server !== undefined)
    await until('it is known', async () => (await daemonState(paths)).status?.mount.state === 'mounted')
    const [daemon, server] = [running(paths.daemonPid), running(paths.mountPid)]
    try {
      renameSync(paths.root, moved.root)
      await until('both are gone', () => !isRunning(daemon) && !isRunning(server))
      assert.deepEqual(readdirSync(dirname(paths.root)), [basename(moved.root)])
      assert.equal(mountState(moved), 'none')
      assert.equal(await ensureDaemon(moved), true)
      assert.equal(mountState(moved), 'mounted')
    } finally {
      await stopDaemon(moved)
      await unmount(moved.store)
    }
  },
)

test('a daemon that is killed at any moment of being waited for is started again', options, async (t) => {
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  for (const afterMs of [0, 5, 20, 60, 120]) {
    await kill9(paths.mountPid)
    const daemon = running(paths.daemonPid)
    // Stopped first: whoever asks it is connected, and loses the connection with the process.
    process.kill(daemon.pid, 'SIGSTOP')
    const ensured = ensureDaemon(paths)
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    process.kill(daemon.pid, 'SIGKILL')
    await ensured
    assert.equal(isServing(paths), true)
  }
})
