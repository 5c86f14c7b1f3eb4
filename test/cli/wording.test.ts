// What is said: numbers in their order, verbs that fit, hints that lead on.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { describe } from '../../src/cli/show/progress.ts'
import { shellWord } from '../../src/paths.ts'
import { makeProgram, outcome, SHELL_WORDS, sandbox } from './harness.ts'

const box = await sandbox({ after })
const at = (...parts: string[]) => join(box.directory, ...parts)

const hello = await box.brief('pack', makeProgram(at('hello'), 'hello', 'hi'), '--as', 'hello@1.0.0')
const other = await box.brief('pack', makeProgram(at('other'), 'other', 'ho'), '--as', 'other@1.0.0')

test('rollback where nothing was installed says so', async () => {
  const { status, stderr } = await box.run(['rollback'])
  assert.equal(status, 3)
  assert.match(stderr, /there is no generation yet in .*\nhint: Install something/)
})

test('rollback and switch would go to a generation, and make none', async () => {
  await box.brief('install', hello)
  await box.brief('install', other)
  for (const words of [
    ['rollback', '-n'],
    ['switch', '1', '-n'],
  ]) {
    assert.match((await box.run(words)).stdout, /^Would go to generation 1 \(now 2\)\n/)
  }
  assert.match((await box.run(['remove', 'other', '-n'])).stdout, /^Would make generation 3 /)
})

test('why lists generations by number', async () => {
  for (let turn = 0; turn < 4; turn++) {
    await box.brief('remove', 'other')
    await box.brief('install', other)
  }
  const { stdout } = await box.run(['why', hello, '--all'])
  const numbers = Array.from(stdout.matchAll(/^generation (\d+)/gm), ([, number]) => Number(number))
  assert.ok(numbers.length >= 10)
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
  )
})

test('a change says what changed', async () => {
  const { stdout } = await box.run(['install', hello, '--priority', '3', '-n'])
  assert.match(stdout, /changed {2}hello {2}1\.0\.0 \(priority 3\)/)
  assert.match(stdout, /closure|B\n/)
})

test('a name nearly right: Did you mean', async () => {
  const { stderr } = await box.run(['remove', 'hell'])
  assert.match(stderr, /hell is not installed\nhint: Did you mean hello\?/)
})

test('why of what nobody knows speaks of what it looks for', async () => {
  const { status, stderr } = await box.run(['why', 'nosuch'])
  assert.equal(status, 3)
  assert.match(stderr, /"nosuch" is neither an installed package nor a pin nor a CID/)
  assert.doesNotMatch(stderr, /registr/)
  assert.match((await box.run(['why', 'hell'])).stderr, /Did you mean hello\?/)
})

test('a mistyped CID is called one', async () => {
  for (const typo of [hello.slice(0, -1), `${hello}/bin`.replace('baf', 'bef'), `/ipfs/${hello}0`]) {
    const text = typo.replace('bef', 'baf').replace(/^(baf.{20})./, '$11')
    for (const words of [
      ['install', text],
      ['store', 'ls', text],
      ['why', text],
    ]) {
      const { status, stderr } = await box.run(words)
      assert.equal(status, 2, stderr)
      assert.match(stderr, /looks like a CID but is not one/)
    }
  }
})

test('daemon logs -n 0 says nothing', async () => {
  const { status, stdout } = await box.run(['daemon', 'logs', '-n', '0'])
  assert.deepEqual([status, stdout], [0, ''])
})

test('what was added: files, and the blocks that are new', async () => {
  mkdirSync(at('tree'))
  writeFileSync(at('tree', 'a'), 'never seen before')
  const { stderr } = await box.run(['store', 'add', 'tree'])
  assert.match(stderr, /^1 file, 17 B; 2 new blocks, \d+ B; not pinned\n$/)
  assert.match((await box.run(['store', 'add', 'tree'])).stderr, /; nothing new; not pinned\n$/)
})

test('options that are on show how they are put off', async () => {
  assert.match((await box.run(['upgrade', '--help'])).stdout, /--no-update/)
  assert.match((await box.run(['init', '--help'])).stdout, /--no-mount/)
  assert.match((await box.run(['pack', '--help'])).stdout, /--no-pin/)
  assert.equal((await box.run(['upgrade', '--no-update', '-n'])).status, 0)
})

test('arguments of a program go after "--"', async () => {
  const { status, stderr } = await box.run(['run', 'hello', 'a', 'b'])
  assert.equal(status, 2)
  assert.match(stderr, /hint: .*pkg run hello -- a b/)
})

test('a directory that is published wants packing', async () => {
  await box.brief('registry', 'create', 'reg')
  const { status, stderr } = await box.run(['publish', './hello', '--registry', 'reg'])
  assert.equal(status, 2)
  assert.match(stderr, /hint: .*pkg pack \.\/hello/)
})

test('a line of progress is as wide as the terminal and whole', () => {
  const step = { done: 123 * 1024 ** 2, total: 999 * 1024 ** 2 }
  const wide = describe('Exporting', step, 'bytes', 5000)
  for (const columns of [79, 60, 45]) {
    const line = describe('Exporting', step, 'bytes', 5000, columns)
    assert.ok(line.length <= columns, line)
    assert.match(line, /MiB\/s$/)
  }
  assert.match(wide, /MiB\/s$/)
})

const hasTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

test('a CAR file is not for a terminal, unless forced', {
  skip: !hasTerminal && 'no script(1) here, or no terminal to be had for it',
}, () => {
  const onTerminal = (words: string) => {
    const line = `exec ${SHELL_WORDS} store export ${hello} - ${words}`
    return spawnSync('script', ['-qec', line, '/dev/null'], { cwd: box.directory, env: box.env })
  }
  const refused = onTerminal('')
  assert.equal(refused.status, 2)
  assert.match(refused.stdout.toString(), /a CAR file is not for a terminal/)
  assert.equal(onTerminal('--force').status, 0)
})

test('a path in a hint is one word of a shell', () => {
  const words: [text: string, shown: string][] = [
    ['/a/b-c_1.2@3', '/a/b-c_1.2@3'],
    ['/a b', "'/a b'"],
    ["it's", "'it'\\''s'"],
    ['$HOME', "'$HOME'"],
    ['', "''"],
  ]
  for (const [text, shown] of words) assert.equal(shellWord(text), shown)
})

test('export to a directory that is not there names it', async () => {
  const { status, stderr } = await box.run(['store', 'export', hello, 'no/where.car'])
  assert.equal(status, 3)
  assert.equal(stderr, 'pkg: no/where.car cannot be written: there is no directory no\n')
  assert.ok(!existsSync(at('no')))
})

test('a working directory that is gone, and a home that is not there', async () => {
  mkdirSync(at('gone'))
  const line = `cd gone && rmdir ../gone && ${SHELL_WORDS} store ls ./x`
  const { status, stderr } = await outcome(['sh', '-c', line], { cwd: box.directory, env: box.env })
  assert.equal(status, 3)
  assert.match(stderr, /^pkg: the working directory is not there any more\nhint: [^\n]+\n$/)
  const env = { HOME: at('nowhere') }
  const init = await box.run(['init', '--no-mount'], { env })
  assert.equal(init.status, 3)
  assert.equal(
    init.stderr,
    `pkg: the home directory ${at('nowhere')} is not there\nhint: Set HOME to a directory that is.\n`,
  )
  assert.equal((await box.run(['install', hello], { env })).status, 0)
  rmSync(at('nowhere'), { force: true, recursive: true })
})

test('an option that there is not is named once, in its own spelling, with the one that was meant', async () => {
  const { stderr, status } = await box.run(['gc', '--older-than', '30d'])
  assert.equal(status, 2)
  assert.match(stderr, /^pkg: --older-than is not understood here\nhint: Did you mean --delete-older-than\?/)
})

test('why of what is not in the store is not found, and no collection is said to take it', async () => {
  const cid = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4'
  const { stdout, stderr, status } = await box.run(['why', cid])
  assert.deepEqual([status, stdout], [3, ''])
  assert.match(stderr, new RegExp(`^pkg: ${cid} is not in ${box.prefix}`))
})
