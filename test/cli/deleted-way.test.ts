// A rollback where the generation that one came from is gone.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

test('a rollback says that where one came from was deleted, and where it goes instead', async (t) => {
  const box = await sandbox(t)
  await box.brief('init', '--no-mount')
  for (const name of ['one', 'two', 'three']) {
    const source = makeProgram(join(box.directory, name), name, name)
    const cid = await box.brief('pack', source, '--as', `${name}@1.0.0`)
    await box.brief('install', cid)
  }
  await box.brief('roots', 'drop', '2')
  const moved = await box.run(['rollback'])
  assert.equal(moved.status, 0)
  assert.match(moved.stderr, /Generation 2, where you came from, was deleted: this goes on to 1/)
  await box.brief('switch', '3')
  await box.brief('roots', 'drop', '1')
  const { status, stderr } = await box.run(['rollback'])
  assert.equal(status, 3)
  assert.match(stderr, /nothing to go back to in .*: generation 1, where you came from, was deleted/)
})
