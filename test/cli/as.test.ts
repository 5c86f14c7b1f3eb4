// `--as` of install and run, by the real program.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

const box = await sandbox({ after })
const source = makeProgram(join(box.directory, 'source'), 'hello', 'hello')

test('install ./dir without a manifest says how, and doing so installs it', async () => {
  const { status, stderr } = await box.run(['install', source])
  assert.equal(status, 2)
  assert.match(stderr, /hint: .*--as <name>@<version>/)
  await box.brief('install', source, '--as', 'hello@1.0.0')
  const { packages } = await box.json<{ packages: { name: string; version: string }[] }>('list')
  assert.deepEqual(
    packages.map(({ name, version }) => `${name}@${version}`),
    ['hello@1.0.0'],
  )
})

test('run takes it too', async () => {
  const { status, stderr } = await box.run(['run', source, '--as', 'hello', '--', 'x'])
  assert.equal(status, 2)
  assert.match(stderr, /"hello" is not name@version/)
})
