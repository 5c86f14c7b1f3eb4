// A daemon or a mount server that is stopped: doctor and status say so, and how to go on; nothing waits for it.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { daemonState, ensureDaemon } from '../../src/daemon/client/client.ts'
import { runDoctor } from '../../src/daemon/doctor/doctor.ts'
import { hasCode } from '../../src/errors.ts'
import type { PrefixPaths } from '../../src/paths.ts'
import { daemonPrefix, running, until, WITHOUT_FUSE } from './prefix.ts'

const options = { skip: WITHOUT_FUSE, timeout: 120_000 }

async function findings(paths: PrefixPaths) {
  const checks = await runDoctor(paths)
  return checks.filter(({ name, ok }) => ok === false && ['daemon', 'mount'].includes(name))
}

/** Hooks run in the order of their registration. */
async function served(t: TestContext, file: 'daemonPid' | 'mountPid') {
  const stopped: number[] = []
  t.after(() => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
  })
  const paths = await daemonPrefix(t)
  await ensureDaemon(paths)
  await until('the daemon answers', async () => (await daemonState(paths)).status?.mount.state === 'mounted')
  assert.deepEqual(await findings(paths), [])
  const { pid } = running(paths[file])
  process.kill(pid, 'SIGSTOP')
  stopped.push(pid)
  return { paths, pid }
}

test('a stopped mount server', options, async (t) => {
  const { paths, pid } = await served(t, 'mountPid')
  const [mount, ...others] = await findings(paths)
  assert.deepEqual(others, [])
  assert.match(mount?.detail ?? '', new RegExp(`programs hang: process ${pid} is stopped`))
  assert.equal(mount?.hint, `Let it go on: kill -CONT ${pid}`)
})

test('a stopped daemon', options, async (t) => {
  const { paths, pid } = await served(t, 'daemonPid')
  const [daemon, ...others] = await findings(paths)
  assert.deepEqual(others, [])
  assert.match(daemon?.detail ?? '', new RegExp(`does not answer: process ${pid} is stopped`))
  await assert.rejects(daemonState(paths), (error) => {
    assert.ok(hasCode(error, 'NO_DAEMON'))
    return error.hint === `Let it go on: kill -CONT ${pid}`
  })
})
