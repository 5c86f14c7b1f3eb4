// What users of root's prefix can do while root's daemon is stopped.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeProgram } from '../cli/harness.ts'
import { WITHOUT_FUSE } from '../daemon/prefix.ts'
import { accounts } from './accounts.ts'
import { WITHOUT_USERS } from './machine.ts'

test('while root’s daemon is stopped users go back and forth', {
  skip: WITHOUT_USERS || WITHOUT_FUSE,
}, async (t) => {
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const { root, anna, directory } = await accounts(t)
  stop = () => root.pkg('daemon', 'stop', '--force')
  await root.brief('init')
  for (const version of ['1.0.0', '2.0.0']) {
    const source = makeProgram(join(directory, version), 'tool', version)
    await anna.brief('install', source, '--as', `tool@${version}`)
  }
  await t.test('who may stop it is said', async () => {
    const { status, stderr } = await anna.pkg('daemon', 'stop')
    assert.equal(status, 7)
    assert.match(stderr, /hint: Only root can stop it/)
  })
  await root.brief('daemon', 'stop')

  await t.test('by rollback and switch, also to where one is', async () => {
    assert.equal(await anna.brief('rollback'), '1')
    assert.equal(await anna.brief('switch', '2'), '2')
    assert.equal(await anna.brief('switch', '2'), '2')
  })

  await t.test('and are told that root starts it', async () => {
    const { status, stdout } = await anna.pkg('doctor')
    assert.equal(status, 8)
    assert.match(stdout, /store mode +root's daemon decides/)
    assert.doesNotMatch(stdout, /trees|fusermount/)
    assert.equal(stdout.match(/pkg daemon start/g)?.length, stdout.match(/[Rr]oot (run|starts)/g)?.length)
    const told = await anna.pkg('daemon', 'status')
    assert.equal(told.status, 8)
    assert.match(told.stdout, /mode +not known: root's daemon decides/)
    assert.match(told.stdout, /hint +Root starts it/)
  })
})
