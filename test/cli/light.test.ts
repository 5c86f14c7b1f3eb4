// What a command does not need it does not load: the sources themselves, module by module.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

const box = await sandbox({ after })
const hook = join(import.meta.dirname, 'modules.ts')

async function modulesOf(...words: string[]): Promise<string[]> {
  const file = join(box.directory, 'modules')
  const { status, stderr } = await box.run(words, {
    node: ['--import', hook],
    env: { PKG_TEST_MODULES: file },
  })
  assert.equal(status, 0, stderr)
  return readFileSync(file, 'utf8').split('\n')
}

const HEAVY = [
  'better-sqlite3',
  'fuse-native',
  'helia',
  '@helia/unixfs',
  'ipfs-unixfs-importer',
  'libp2p',
  'node:http',
]

const first = await box.brief(
  'pack',
  makeProgram(join(box.directory, 'one'), 'hello', 'one'),
  '--as',
  'hello@1.0.0',
)
const second = await box.brief(
  'pack',
  makeProgram(join(box.directory, 'two'), 'hello', 'two'),
  '--as',
  'hello@2.0.0',
)
await box.brief('install', first)
await box.brief('install', second)

for (const words of [
  'list',
  'history',
  'rollback',
  'switch 2',
  'which hello',
  'completion bash',
  'registry list',
]) {
  test(`pkg ${words} loads no database, no importer, no Helia`, async () => {
    const loaded = await modulesOf(...words.split(' '))
    assert.deepEqual(
      loaded.filter((name) => HEAVY.includes(name)),
      [],
    )
  })
}

test('the root help and --version load no foreign package at all', async () => {
  for (const words of [['--help'], ['--version'], []]) {
    assert.deepEqual(
      (await modulesOf(...words)).filter((name) => !name.startsWith('node:') && name !== ''),
      [],
    )
  }
})

test('install of a package that is here loads neither Helia nor fuse-native', async () => {
  const loaded = await modulesOf('install', second)
  assert.deepEqual(
    loaded.filter((name) => name.includes('helia') || name === 'fuse-native'),
    [],
  )
})
