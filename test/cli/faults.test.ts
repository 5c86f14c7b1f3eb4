// `pack`, `publish`, `install ./dir`, `upgrade` and `run ./dir` tell what cannot work, and what to do; nothing of it is on standard output.

import assert from 'node:assert/strict'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

const box = await sandbox({ after })
const good = makeProgram(join(box.directory, 'good'), 'hello', 'hello')
const bad = join(box.directory, 'bad')
mkdirSync(bad)
renameSync(makeProgram(join(box.directory, 'made'), 'hello', 'hello'), join(bad, 'usr'))

test('pack of a tree with usr/bin warns with the way out, and --quiet leaves the CID alone', async () => {
  const { status, stdout, stderr } = await box.run(['pack', bad, '--as', 'hello@1.0.0'])
  assert.equal(status, 0)
  assert.match(stderr, /warning: usr\/bin has programs, and bin\/ has none/)
  assert.match(stderr, /hint: Pack the directory usr\//)
  assert.doesNotMatch(stdout, /warning|hint/)
  assert.match(await box.brief('pack', bad, '--as', 'hello@1.0.0'), /^bafy\w+$/)
  const { faults } = await box.json<{ faults: { path: string }[] }>('pack', bad, '--as', 'hello@1.0.0')
  assert.deepEqual(
    faults.map(({ path }) => path),
    ['usr/bin'],
  )
  // The way out.
  const out = await box.run(['pack', join(bad, 'usr'), '--as', 'hello@1.0.0', '--strict'])
  assert.equal(out.status, 0)
  assert.doesNotMatch(out.stderr, /warning/)
})

test('--strict refuses, and pins nothing', async () => {
  const before = await box.brief('pin', 'list')
  const { status, stderr } = await box.run(['pack', bad, '--as', 'other@1.0.0', '--strict'])
  assert.equal(status, 2)
  assert.match(stderr, /other@1\.0\.0: usr\/bin has programs/)
  assert.equal(await box.brief('pin', 'list'), before)
})

test('--strict goes with an adopted DAG as well', async () => {
  writeFileSync(join(box.directory, 'script'), '#!/usr/bin/python3\n', { mode: 0o755 })
  const cid = await box.brief('store', 'add', join(box.directory, 'script'), '--pin', 'script')
  const words = ['pack', '--from', cid, '--as', 'script@1.0.0']
  assert.equal((await box.run([...words, '--strict'])).status, 2)
  const { status, stderr } = await box.run(words)
  assert.equal(status, 0)
  assert.match(stderr, /warning: bin\/script needs \/usr\/bin\/python3, which is not inside/)
})

test('a revision of a distribution: pack and publish offer what is meant', async () => {
  const offer = /hint: A revision of 1\.15\.0 is written 1\.15\.0\+2: hello@1\.15\.0\+2/
  const packed = await box.run(['pack', good, '--as', 'hello@1.15.0-2', '--quiet'])
  assert.equal(packed.status, 0)
  assert.match((await box.run(['pack', good, '--as', 'hello@1.15.0-2'])).stderr, offer)
  await box.brief('registry', 'create', 'reg')
  const published = await box.run(['publish', packed.stdout.trim(), '--registry', 'reg'])
  assert.equal(published.status, 0)
  assert.match(published.stderr, /warning: .*1\.15\.0-2, a prerelease, which counts as older than 1\.15\.0/)
  assert.match(published.stderr, offer)
})

test('install, upgrade and run of a directory tell, too', async () => {
  const installed = await box.run(['install', bad, '--as', 'hello@1.0.0'])
  assert.deepEqual([installed.status, /warning: usr\/bin has programs/.test(installed.stderr)], [0, true])
  writeFileSync(join(bad, 'news'), '')
  const { stdout, stderr } = await box.run(['upgrade'])
  assert.match(stdout, /hello/)
  assert.match(stderr, /warning: usr\/bin has programs/)
  // It has no program at all.
  const { status, stderr: said } = await box.run(['run', bad, '--as', 'hello@1.0.0'])
  assert.equal(status, 2)
  assert.match(said, /warning: usr\/bin has programs/)
})
