// `pkg` at prefixes that are not there, not whole, or not this user's.

import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type PrefixPaths, prefixPaths } from '../../src/paths.ts'
import { makePrefix } from '../../src/store/prefix.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { makeProgram, outcome, sandbox } from './harness.ts'

const START = join(import.meta.dirname, '..', '..', 'src', 'cli', 'start.ts')
const A_CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

const box = await sandbox({ after })
const at = (...parts: string[]) => join(box.directory, ...parts)
const program = makeProgram(at('program'), 'hello', 'hello')

const READING = [
  ['list'],
  ['history'],
  ['which', 'x'],
  ['gc'],
  ['search', 'x'],
  ['why', A_CID],
  ['pin', 'list'],
  ['registry', 'list'],
  ['registry', 'update'],
  ['store', 'verify'],
  ['store', 'reindex'],
  ['store', 'cat', A_CID],
  ['store', 'stat', A_CID],
  ['remove', 'x'],
  ['rollback'],
]

test('commands that add nothing say that there is no prefix, and make none', async () => {
  for (const words of READING) {
    const { status, stderr } = await box.run([...words, '--prefix', at('nowhere')])
    assert.equal(status, 3, words.join(' '))
    assert.match(stderr, /there is no prefix at .*\/nowhere\n.*`pkg init`/, words.join(' '))
  }
  assert.equal(existsSync(at('nowhere')), false)
})

test('adding makes the prefix', async () => {
  const { status } = await box.run(['pack', program, '--as', 'hello@1.0.0', '--prefix', at('fresh')])
  assert.equal(status, 0)
  assert.equal((await box.run(['list', '--prefix', at('fresh')])).stdout, 'Nothing is installed yet\n')
})

test('a prefix that lost a part is named with it, and mended by init', async () => {
  const paths = made('half')
  rmSync(paths.pinsPerUser, { recursive: true })
  for (const words of [['list'], ['gc'], ['store', 'verify'], ['store', 'add', program]]) {
    const { status, stderr } = await box.run([...words, '--prefix', paths.root])
    assert.equal(status, 3, words.join(' '))
    assert.match(stderr, /per-user is missing\n.*`pkg init`/, words.join(' '))
  }
  await box.run(['init', '--no-mount', '--prefix', paths.root])
  assert.equal((await box.run(['store', 'verify', '--prefix', paths.root])).status, 0)
})

test('init refuses a place that cannot hold a prefix, within the second', async () => {
  for (const [place, status] of [
    ['/proc/x', 7],
    [join(program, 'bin', 'hello'), 2],
  ] as const) {
    const run = await outcome(
      ['timeout', '-s', 'KILL', '20', process.execPath, START, 'init', '--prefix', place],
      {
        cwd: box.directory,
        env: box.env,
      },
    )
    assert.equal(run.status, status, run.stderr)
    assert.match(run.stderr, /hint:/)
  }
})

test('init refuses a prefix that this user may not write, and changes nothing, the profile link included', () => {
  const paths = made('others')
  const home = at('others-home')
  mkdirSync(home)
  symlinkSync('where-it-led', join(home, '.pkg-profile'))
  for (const place of [paths.blocks, paths.pins, paths.profilesPerUser]) {
    const before = lstatSync(join(home, '.pkg-profile')).mtimeMs
    const { status, stderr } = powerless(place, ['init', '--modify-shell', '--prefix', paths.root], home)
    assert.equal(status, 7, stderr)
    assert.match(stderr, /this user may not write it\n.*hint:.*PKG_PREFIX/)
    assert.equal(lstatSync(join(home, '.pkg-profile')).mtimeMs, before)
    assert.equal(existsSync(join(home, '.bashrc')), false)
    assert.equal(existsSync(paths.log), false)
  }
})

test('who may not write a prefix can look at it, and is told in words what cannot be', () => {
  const paths = made('readable')
  writeFileSync(at('file'), 'text')
  const said = (...words: string[]) => powerless(paths.tempPins, [...words, '--prefix', paths.root])
  assert.equal(said('list').status, 0)
  assert.equal(said('store', 'verify').status, 0)
  for (const words of [['store', 'add', at('file')], ['gc'], ['install', 'x'], ['pin', 'add', 'x', A_CID]]) {
    const { status, stderr } = said(...words)
    assert.equal(status, 7, words.join(' '))
    assert.match(stderr, /this user may not write it\n.*hint:/, words.join(' '))
  }
})

function made(name: string): PrefixPaths {
  const paths = prefixPaths(at(name))
  makePrefix(paths)
  return paths
}

/** Runs `pkg` as a user to whom permissions apply, with one directory closed to writing. */
function powerless(closed: string, words: string[], home = box.home) {
  chmodSync(closed, 0o555)
  try {
    return runPowerless(['--disable-warning=ExperimentalWarning', START, ...words], {
      ...box.env,
      HOME: home,
    })
  } finally {
    chmodSync(closed, 0o755)
  }
}
