// A restart of the daemon, seen by a program that runs from the mount.

import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureDaemon } from '../../src/daemon/client/client.ts'
import { restartDaemon } from '../../src/daemon/client/restart.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag } from '../helpers/store.ts'
import { daemonPrefix, running, WITHOUT_FUSE } from './prefix.ts'

test('the mount and what is open on it outlive a restart', { skip: WITHOUT_FUSE }, async (t) => {
  const paths = await daemonPrefix(t)
  const store = Store.open(paths.root)
  t.after(() => store.close())
  const dag = new Dag()
  const parts = ['a', 'b'].map((text) => ({ cid: dag.raw(text.repeat(1_000_000)), size: 1_000_000 }))
  const root = dag.file(parts)
  await putDag(store, dag)
  await ensureDaemon(paths)
  const before = [running(paths.daemonPid).pid, running(paths.mountPid).pid]
  const path = join(paths.store, String(root))
  const fd = openSync(path, 'r')
  try {
    const first = Buffer.alloc(1000)
    readSync(fd, first, 0, first.length, 0)
    assert.equal(await restartDaemon(paths), true)
    assert.notEqual(running(paths.daemonPid).pid, before[0])
    assert.equal(running(paths.mountPid).pid, before[1])
    const later = Buffer.alloc(1000)
    readSync(fd, later, 0, later.length, 1_900_000)
    assert.deepEqual([first[0], later[0]], ['a'.charCodeAt(0), 'b'.charCodeAt(0)])
    assert.equal(readFileSync(path).length, 2_000_000)
  } finally {
    closeSync(fd)
  }
})
