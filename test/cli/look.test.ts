// Looking at what is installed and what there is: held versions, patterns, programs, what is outdated.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

const box = await sandbox({ after })

async function publish(as: string, program: string): Promise<void> {
  const source = makeProgram(join(box.directory, as), program, as)
  const cid = await box.brief('pack', source, '--as', as, '--description', `package ${as}`)
  await box.brief('publish', cid, '--registry', 'reg')
}

await box.brief('registry', 'create', 'reg')
for (const as of ['ripgrep@1.0.0', 'ruff@0.8.0', 'black@1.0.0']) {
  await publish(as, as.startsWith('ripgrep') ? 'rg' : (as.split('@')[0] as string))
}
await box.brief('registry', 'add', 'main', 'reg')
await box.brief('install', 'ripgrep', 'ruff@=0.8.0', 'black@^1')

test('list shows what holds a version, and takes a pattern', async () => {
  const { stdout } = await box.run(['list'])
  assert.match(stdout, /^name +version +held +size +programs\n/)
  assert.match(stdout, /^ruff +0\.8\.0 +=0\.8\.0 /m)
  assert.match(stdout, /^black +1\.0\.0 +\^1 /m)
  assert.match(stdout, /^ripgrep +1\.0\.0 +\d/m)
  const names = async (...words: string[]) => (await box.brief('list', ...words)).split('\n')
  assert.deepEqual(await names('r'), ['ripgrep', 'ruff'])
  assert.deepEqual(await names('r*'), ['ripgrep', 'ruff'])
  assert.deepEqual(await names('*f?'), ['ruff'])
  const none = await box.run(['list', 'nosuch'])
  assert.equal(none.status, 3)
  assert.match(none.stderr, /hint: /)
})

test('search finds a package by the name of its program', async () => {
  assert.equal(await box.brief('search', 'rg'), 'ripgrep')
  const { packages } = await box.json<{ packages: { programs: string[] }[] }>('search', 'rg')
  assert.deepEqual(packages[0]?.programs, ['rg'])
})

test('outdated says what an upgrade takes and what is held back, and changes nothing', async () => {
  assert.equal((await box.run(['outdated'])).stdout, 'Everything is up to date\n')
  await publish('ripgrep@1.1.0', 'rg')
  await publish('ruff@0.9.0', 'ruff')
  await publish('black@1.5.0', 'black')
  await publish('black@2.0.0', 'black')
  const known = await box.run(['outdated', '--no-update'])
  assert.equal(known.stdout, 'Everything is up to date\n')
  const { stdout, stderr } = await box.run(['outdated'])
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/ +/)),
    [
      ['name', 'version', 'upgrade', 'newest', 'held'],
      ['black', '1.0.0', '1.5.0', '2.0.0', '^1'],
      ['ripgrep', '1.0.0', '1.1.0', '1.1.0'],
      ['ruff', '0.8.0', 'stays', '0.9.0', '=0.8.0'],
      [''],
    ],
    stderr,
  )
  assert.equal(await box.brief('outdated', 'ruff'), 'ruff')
  assert.match((await box.run(['list'])).stdout, /^ripgrep +1\.0\.0/m)
  assert.match((await box.run(['upgrade', '--no-update'])).stdout, /up to date/)
  await box.brief('upgrade')
  assert.equal(await box.brief('outdated'), 'black\nruff')
})
