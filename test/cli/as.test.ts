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

test('a version of one or two numbers is told, with what was meant', async () => {
  for (const [version, meant] of [
    ['1', '1.0.0'],
    ['1.2', '1.2.0'],
  ]) {
    const { status, stderr } = await box.run(['install', source, '--as', `mine@${version}`])
    assert.equal(status, 2)
    assert.ok(stderr.includes(`"${version}" in --as mine@${version} is not a version`), stderr)
    assert.ok(stderr.includes(`--as mine@${meant}`), stderr)
  }
})
