// What the daemon and the mount server have of the environment of whoever started them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { ensureDaemon } from '../../src/daemon/client/client.ts'
import { storePath } from '../../src/paths.ts'
import { Store } from '../../src/store/store.ts'
import { addTree, present } from '../collector/scenario.ts'
import { daemonPrefix, running, WITHOUT_FUSE } from './prefix.ts'

const environmentOf = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')

test('no package is kept alive by a path in the environment that they were started in, and no other Node’s options are theirs', {
  skip: WITHOUT_FUSE,
}, async (t) => {
  const paths = await daemonPrefix(t)
  const store = Store.open(paths.root)
  t.after(() => store.close())
  const tree = await addTree(store, 'named')
  // As `sudo pkg pin add <store path>` has it.
  const passing = {
    SUDO_COMMAND: `/usr/bin/pkg pin add ${storePath(paths, tree.root)}`,
    NODE_OPTIONS: '--max-http-header-size=20000',
  }
  Object.assign(process.env, passing)
  try {
    await ensureDaemon(paths)
  } finally {
    for (const name of Object.keys(passing)) delete process.env[name]
  }
  for (const file of [paths.daemonPid, paths.mountPid]) {
    const variables = environmentOf(running(file).pid)
    assert.ok(variables.includes(`HOME=${process.env.HOME}`))
    const inherited = variables.filter((one) => /^(SUDO_COMMAND|NODE_OPTIONS)=/.test(one))
    assert.deepEqual(inherited, [])
  }
  await runCollection(store, {}, { graceMs: 0 })
  assert.equal(present(store, tree), 0)
})
