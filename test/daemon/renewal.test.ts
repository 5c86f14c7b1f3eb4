// A mount server of another build is replaced when nobody uses the mount, and not before.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, closeSync, cpSync, openSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { reasonOf } from '../../src/daemon/mount/renewal.ts'
import { MountSupervisor } from '../../src/daemon/mount/supervisor.ts'
import { isRunning } from '../../src/files/pid-file.ts'
import { mountServerCommand } from '../../src/mount/launch.ts'
import { mountAt } from '../../src/mount/mountpoint.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { daemonPrefix, running, until, WITHOUT_FUSE } from './prefix.ts'

const ROOT = join(import.meta.dirname, '..', '..')

test('who should go', () => {
  assert.equal(reasonOf({ software: 'a', threads: 10 }, 'a'), undefined)
  assert.match(reasonOf({ software: 'a', threads: 10 }, 'b') ?? '', /another build/)
  assert.match(reasonOf({ software: 'a', threads: 1e6 }, 'a') ?? '', /threads/)
  assert.equal(reasonOf({ software: 'a' }, undefined), undefined)
  // Of before there was a hand-over.
  assert.equal(reasonOf({}, 'a'), undefined)
})

test('a server of another build goes on while a file is open, and is replaced then', {
  skip: WITHOUT_FUSE,
}, async (t) => {
  const paths = await daemonPrefix(t)
  const store = Store.open(paths.root)
  t.after(() => store.close())
  const dag = new Dag()
  const root = dag.raw('of one build or another')
  await putDag(store, dag)

  // Another build: the same sources, and a file of it says something else.
  const build = await temporaryDirectory(t)
  cpSync(join(ROOT, 'src'), join(build, 'src'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(build, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(build, 'node_modules'))
  const entry = join(build, 'src', 'mount', 'server.ts')
  appendFileSync(entry, '// another build\n')
  const { command, args, env } = mountServerCommand(paths, entry)
  const child = spawn(command, args, { env, stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  await until('the old server serves', () => mountAt(paths.store) !== undefined)
  await until('its pid file is there', () => {
    try {
      return running(paths.mountPid).pid === child.pid
    } catch {
      return false
    }
  })
  const old = running(paths.mountPid)

  const file = join(dirname(paths.store), 'store', String(root))
  const fd = openSync(file, 'r')
  const log: string[] = []
  const supervisor = new MountSupervisor(paths, (line) => log.push(line), { renewMs: 50 })
  supervisor.start()
  // Not by a hook: those run in the order they were made in, and the prefix would be removed under it.
  try {
    try {
      await until('the old server is adopted', () => supervisor.status.pid === old.pid)
      for (let look = 0; look < 5; look++) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        assert.equal(supervisor.status.pid, old.pid)
      }
      assert.equal(readFileSync(fd, 'utf8'), 'of one build or another')
    } finally {
      closeSync(fd)
    }
    await until(
      'a new server serves',
      () => supervisor.status.pid !== old.pid && supervisor.status.state === 'mounted',
    )
    assert.equal(readFileSync(file, 'utf8'), 'of one build or another')
    await until('the old one ends', () => !isRunning(old))
    assert.equal(readFileSync(file, 'utf8'), 'of one build or another')
    assert.equal(running(paths.mountPid).pid, supervisor.status.pid)
    assert.match(log.join('\n'), /replaced the mount server .*another build/)
  } finally {
    await supervisor.close({ unmount: true })
  }
})
