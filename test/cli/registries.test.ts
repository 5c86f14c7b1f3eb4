// Registries of which one is gone, by the real program.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

type Update = { name: string; ok: boolean; root?: string; changed: boolean; error?: { message: string } }

const box = await sandbox({ after })
const main = join(box.directory, 'main')
const other = join(box.directory, 'other')

async function publish(version: string): Promise<void> {
  const source = makeProgram(join(box.directory, version), 'hello', version)
  const cid = await box.brief('pack', source, '--as', `hello@${version}`)
  await box.brief('publish', cid, '--registry', other)
}

test('update: a line and an entry for each registry, and status 4 when one could not be', async () => {
  for (const [name, directory] of Object.entries({ main, other })) {
    await box.brief('registry', 'create', directory)
    await box.brief('registry', 'add', name, directory)
  }
  await publish('1.0.0')
  rmSync(main, { recursive: true })
  const { status, stdout, stderr } = await box.run(['registry', 'update'])
  const line = `main: ${main} is gone; its last known state is used. \`pkg registry remove main\` takes it away`
  assert.deepEqual({ status, stdout, stderr }, { status: 4, stdout: `${line}\nother: updated\n`, stderr: '' })
  const again = await box.run(['registry', 'update', '--json'])
  assert.equal(again.status, 4)
  const { registries } = JSON.parse(again.stdout) as { registries: Update[] }
  assert.deepEqual(
    registries.map(({ name, ok, root, changed, error }) => [name, ok, typeof root, changed, error?.message]),
    [
      ['main', false, 'string', false, `${main} is gone`],
      ['other', true, 'string', false, undefined],
    ],
  )
})

test('a registry that is there already is no new one', async () => {
  const { status, stderr } = await box.run(['registry', 'add', 'other', other])
  assert.deepEqual([status, stderr], [0, `Updated the registry other: ${other}\n`])
})

test('the pin that keeps a registry in use goes with its subscription only', async () => {
  const { status, stderr } = await box.run(['pin', 'remove', 'registry-other', '--all'])
  assert.deepEqual([status, /`pkg registry remove other`/.test(stderr)], [2, true], stderr)
  assert.match(await box.brief('pin', 'list'), /^registry-other /m)
  assert.equal((await box.run(['registry', 'update', 'other'])).status, 0)
})

test('upgrade names the registry that is gone, and goes on', async () => {
  await box.brief('install', 'hello')
  await publish('1.1.0')
  const { status, stdout, stderr } = await box.run(['upgrade'])
  assert.equal(status, 0, stderr)
  assert.match(stdout, /upgraded +hello +1\.0\.0 -> 1\.1\.0/)
  assert.match(stderr, /^main: .* is gone; its last known state is used\. `pkg registry remove main`/m)
})
