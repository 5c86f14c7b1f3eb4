// Completion: what is proposed, and the scripts in the shells that are there.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, outcome, SHELL_WORDS, sandbox } from './harness.ts'

const box = await sandbox({ after })
const hello = makeProgram(join(box.directory, 'hello'), 'hello', 'hi')
const cid = await box.brief('pack', hello, '--as', 'hello@1.0.0')
await box.brief('install', cid)
await box.brief('registry', 'create', 'reg')
await box.brief('publish', cid, '--registry', 'reg')
const two = makeProgram(join(box.directory, 'two'), 'hello', 'two')
const second = await box.brief('pack', two, '--as', 'hello@2.0.0')
await box.brief('publish', second, '--registry', 'reg')
await box.brief('registry', 'add', 'main', 'reg')

async function complete(...words: string[]): Promise<string[]> {
  const { stdout, stderr, status } = await box.run(['__complete', ...words])
  assert.deepEqual([status, stderr], [0, ''])
  return stdout.split('\n').flatMap((line) => line.split('\t')[0] || [])
}

const CASES: [words: string[], wanted: string[]][] = [
  [['ins'], ['install']],
  [['re'], ['remove', 'registry']],
  [['store', 'e'], ['export']],
  [['remove', ''], ['hello']],
  [['rm', ''], ['hello']],
  [
    ['pin', 'rm', ''],
    ['hello', 'registry-main'],
  ],
  [['which', 'h'], ['hello']],
  [['install', 'he'], ['hello']],
  [
    ['install', 'hello@'],
    ['hello@1.0.0', 'hello@2.0.0'],
  ],
  [['run', 'hello@2'], ['hello@2.0.0']],
  [['store', 'ls', 'hello@'], ['hello@1.0.0']],
  [['install', '--registry', ''], ['main']],
  [
    ['pin', 'remove', 'hello', ''],
    [cid, second],
  ],
  [
    ['why', ''],
    ['hello', 'registry', 'registry-main'],
  ],
  [['switch', ''], ['1']],
  [['registry', 'remove', ''], ['main']],
  [['completion', 'z'], ['zsh']],
  [['gc', '--dr'], ['--dry-run']],
  [['list', '--profile', ''], []],
  [['store', 'add', ''], []],
  [['--json', 'remove', ''], ['hello']],
]

/** Where names of files are proposed. */
const FILES: [words: string[], files: boolean][] = [
  [['pack', ''], true],
  [['store', 'add', ''], true],
  [['store', 'get', 'hello', ''], true],
  [['registry', 'add', 'other', ''], true],
  [['publish', 'hello', '--registry', ''], true],
  [['store', 'verify', '--from', ''], true],
  [['install', './'], true],
  [['--prefix', ''], true],
  [['install', 'nosuch'], false],
  [['remove', 'nosuch'], false],
  [['registry', 'add', ''], false],
  [['switch', '1', ''], false],
  [['gc', ''], false],
  [['run', 'hello', '--', ''], true],
  [['gc', '--constructor', ''], false],
  [['nosuch', ''], false],
]

for (const [words, files] of FILES) {
  test(`pkg ${words.join(' ')}<Tab>: ${files ? '' : 'no '}names of files`, async () => {
    const { stdout } = await box.run(['__complete', ...words])
    assert.equal(stdout, files ? '' : '\tno names of files\n')
  })
}

for (const [words, wanted] of CASES) {
  test(`pkg ${words.join(' ')}<Tab>`, async () => {
    assert.deepEqual((await complete(...words)).sort(), [...wanted].sort())
  })
}

test('an unknown shell is an error with the known ones', async () => {
  const { status, stderr } = await box.run(['completion', 'tcsh'])
  assert.equal(status, 2)
  assert.match(stderr, /hint: There is one for: bash, zsh, fish\./)
})

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0

/** A directory with `pkg` in it, as PATH would have it. */
const bin = join(box.directory, 'bin')
mkdirSync(bin)
writeFileSync(join(bin, 'pkg'), `#!/bin/sh\nexec ${SHELL_WORDS} "$@"\n`, { mode: 0o755 })
const env = { ...box.env, PATH: `${bin}:${box.env.PATH}` }

test('bash completes', { skip: !has('bash') && 'no bash here' }, async () => {
  const script = `source <(pkg completion bash); COMP_WORDS=(pkg store e); COMP_CWORD=2; _pkg; echo "\${COMPREPLY[*]}"`
  const { stdout, stderr } = await outcome(['bash', '-c', script], { cwd: box.directory, env })
  assert.deepEqual([stdout, stderr], ['export\n', ''])
})

test('bash: a name with a space is one word, and a name comes once', {
  skip: !has('bash') && 'no bash here',
}, async () => {
  for (const registry of ['my reg', 'second']) await box.brief('registry', 'add', registry, 'reg')
  const one = async (typed: string) => {
    const script = `source <(pkg completion bash); COMP_WORDS=(${typed}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _pkg; printf '%s|' "\${COMPREPLY[@]}"`
    return (await outcome(['bash', '-c', script], { cwd: box.directory, env })).stdout
  }
  assert.equal(await one('pkg registry remove my'), 'my\\ reg|')
  assert.equal(await one("pkg registry remove 'my\\ r'"), 'my\\ reg|')
  assert.equal(await one('pkg install hel'), 'hello|')
  // bash itself puts back what stands before the @.
  assert.equal(await one('pkg install hello @ 2'), '2.0.0|')
  assert.equal(await one('pkg install hello @'), '2.0.0|1.0.0|')
})

for (const shell of ['zsh', 'fish']) {
  test(`${shell} takes the script`, { skip: !has(shell) && `no ${shell} here` }, async () => {
    const input = (await box.run(['completion', shell])).stdout
    const { status, stderr } = await outcome([shell, '-n'], { cwd: box.directory, env, input })
    assert.deepEqual([status, stderr], [0, ''])
  })
}
