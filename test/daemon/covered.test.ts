// Something that somebody else mounted over the store: it is theirs, and stays with its data whatever we stop.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ensureDaemon, stopDaemon } from '../../src/daemon/client/client.ts'
import { restartDaemon } from '../../src/daemon/client/restart.ts'
import { runDoctor } from '../../src/daemon/doctor/doctor.ts'
import { isRunning } from '../../src/files/pid-file.ts'
import { mountAt, mountState, unmount } from '../../src/mount/mountpoint.ts'
import type { PrefixPaths } from '../../src/paths.ts'
import { makePrefix } from '../../src/store/prefix.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { daemonPrefix, kill9, running, until, WITHOUT_FUSE } from './prefix.ts'

const skip = WITHOUT_FUSE || (process.getuid?.() !== 0 && 'only root can mount over it')
const SAID = /something else is mounted over .*\/store: tmpfs of theirs/

/** A served prefix with somebody's tmpfs over its store, which has a file. */
async function covered(t: TestContext, below?: string): Promise<{ paths: PrefixPaths; file: string }> {
  const paths = await daemonPrefix(t, below)
  makePrefix(paths)
  await ensureDaemon(paths)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'theirs', paths.store])
  const file = join(paths.store, 'file')
  writeFileSync(file, 'their data')
  return { paths, file }
}

const uncover = (paths: PrefixPaths) => spawnSync('umount', [paths.store])

for (const below of ['plain', 'sp ace,x']) {
  test(`it stays, and what would end the mount below refuses: ${below}`, { skip }, async (t) => {
    const { paths, file } = await covered(t, below)
    try {
      const server = running(paths.mountPid)
      const daemon = running(paths.daemonPid)
      assert.equal(mountState(paths), 'covered')
      const said = (code: string) => (error: { code?: string; message?: string; hint?: string }) =>
        error.code === code && SAID.test(error.message ?? '') && /umount/.test(error.hint ?? '')
      await assert.rejects(stopDaemon(paths), said('BUSY'))
      await assert.rejects(stopDaemon(paths, { force: true }), said('BUSY'))
      await assert.rejects(restartDaemon(paths), said('BUSY'))
      await assert.rejects(unmount(paths.store), said('BUSY'))
      await assert.rejects(ensureDaemon(paths), said('MOUNT_FAILED'))
      const check = (await runDoctor(paths)).find(({ name }) => name === 'mount')
      assert.equal(check?.ok, false)
      assert.match(check?.detail ?? '', SAID)
      // A daemon that is killed or ended by a signal, and the one after it, leave it alone as well.
      await kill9(paths.daemonPid)
      await assert.rejects(stopDaemon(paths, { force: true }), said('BUSY'))
      assert.ok(!isRunning(daemon) && isRunning(server))
      assert.equal(readFileSync(file, 'utf8'), 'their data')
    } finally {
      uncover(paths)
    }
    // The server that was hidden serves again, and is adopted.
    assert.equal(await ensureDaemon(paths), true)
    assert.equal(mountState(paths), 'mounted')
    await stopDaemon(paths)
    assert.equal(mountState(paths), 'none')
  })
}

test('a daemon ended by a signal leaves it, and the server below', { skip }, async (t) => {
  const { paths, file } = await covered(t)
  try {
    const [daemon, server] = [running(paths.daemonPid), running(paths.mountPid)]
    process.kill(daemon.pid, 'SIGTERM')
    await until('the daemon has ended', () => !isRunning(daemon))
    assert.ok(isRunning(server))
    process.kill(server.pid, 'SIGTERM')
    await until('the server has said why it goes on', () => SAID.test(readFileSync(paths.log, 'utf8')))
    assert.equal(readFileSync(file, 'utf8'), 'their data')
  } finally {
    uncover(paths)
  }
})

test('a mount of another kind with none of ours below is mounted over, and stays', { skip }, async (t) => {
  const paths = await daemonPrefix(t)
  makePrefix(paths)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'theirs', paths.store])
  try {
    await ensureDaemon(paths)
    assert.equal(mountAt(paths.store)?.type, 'fuse.pkg')
    await stopDaemon(paths)
    assert.equal(mountState(paths), 'none')
  } finally {
    assert.equal(uncover(paths).status, 0, 'theirs is still there')
  }
})

test('a mount over the whole prefix hides the one of the prefix below', { skip }, async (t) => {
  const paths = await daemonPrefix(t, 'prefix')
  makePrefix(paths)
  await ensureDaemon(paths)
  const other = await temporaryDirectory(t)
  mkdirSync(join(other, 'store'))
  execFileSync('mount', ['--bind', other, paths.root])
  try {
    assert.equal(mountState(paths), 'none')
    assert.equal(mountAt(paths.store), undefined)
  } finally {
    spawnSync('umount', [paths.root])
  }
  assert.equal(mountState(paths), 'mounted')
})
