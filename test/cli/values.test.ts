// Values that are none: every option and argument of every command, out of the parser's
// own table, so that a new one is asked what kind of value it takes.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import yargs, { type Argv } from 'yargs'
import type { Command } from '../../src/cli/command.ts'
import { COMMANDS, type Entry, loadCommand, wordsOf } from '../../src/cli/commands.ts'
import type { GlobalOptions } from '../../src/cli/context.ts'
import { parse } from '../../src/cli/words/parse.ts'
import {
  describeOptions,
  globalOptions,
  optionKinds,
  positionalsOf,
} from '../../src/cli/words/parse-options.ts'
import { PkgError } from '../../src/errors.ts'
import { makeProgram, sandbox } from './harness.ts'

const NUMBERS = [
  '',
  ' ',
  '1e2',
  '0x10',
  '1.5',
  ' 3',
  '3 ',
  '+3',
  '03',
  '3x',
  '१',
  'NaN',
  'Infinity',
  '-',
  '9'.repeat(17),
]
const GENERATIONS = [...NUMBERS, '0', '-1']
const TIMES = ['', ' ', '30', '1e2d', '-1d', '+1d', ' 1d', '1d ', '1.5d', 'd', '1y', '1000000d', '1D']
const SIZES = [
  '',
  ' ',
  '1e3',
  '-1',
  '+1',
  ' 10G',
  '10G ',
  '10  G',
  '10X',
  'G',
  '1.2.3',
  '0x10',
  '99999999999999T',
]

/** What a word is cannot be told before the store is there; that it is one can. */
const WORDS = ['']

const KINDS: Record<string, readonly string[]> = {
  '--keep': [...NUMBERS, '-1'],
  '--lines': [...NUMBERS, '-1'],
  '--limit': [...NUMBERS, '-1', '0'],
  '--priority': [...NUMBERS, '--1', '-0'],
  '--generation': GENERATIONS,
  '<generation>': GENERATIONS,
  '<to>': GENERATIONS,
  'diff <from>': GENERATIONS,
  'rollback --to': GENERATIONS,
  '--delete-older-than': TIMES,
  '--grace': [...TIMES, '00'],
  '--max-freed': SIZES,
  '--ensure-free': [...SIZES, '101%', '%', '-5%', '5 %%', ' 5%'],
  '--by': ['', 'nothing', 'Packages', 'pins '],
}

/** Of those the rest is words: names, paths, CIDs. A new option is entered here or above. */
const OF_WORDS = new Set([
  ...['--prefix', '--profile', '--as', '--registry', '--program', '--from', '--bin', '--dependency'],
  ...['--description', '--licence', '--homepage', '--pin', '--name'],
])

type Taken = { words: string; name: string; given(value: string): string[] }

async function tableOf(entry: Entry): Promise<{ taken: Taken[]; switches: string[] }> {
  const parser = yargs([], '/').help().version(false)
  globalOptions(parser)
  const command = (await loadCommand(entry)) as unknown as Command<GlobalOptions>
  const { switches } = optionKinds(command.options(parser as Argv<GlobalOptions>))
  const words = wordsOf(entry)
  const names = positionalsOf(entry)
  const required = Array.from(entry.usage.matchAll(/<(\w+)/g), ([, name]) => name as string)
  // The one option that has to be there.
  const more = (name: string) =>
    ['publish', 'unpublish'].includes(words) && name !== 'registry' ? ['--registry=x'] : []
  const sample = (name: string) => (name === 'generation' ? '1' : 'x')
  const options = Object.keys(await describeOptions(entry)).filter((name) => !switches.includes(name))
  return {
    switches: switches.filter((name) => name.length > 1 && !/[A-Z]/.test(name) && name !== 'help'),
    taken: [
      ...options.map((name) => ({
        words,
        name: `--${name}`,
        given: (value: string) => [
          ...words.split(' '),
          ...required.map(sample),
          ...more(name),
          `--${name}=${value}`,
        ],
      })),
      ...names.map((name, at) => ({
        words,
        name: `<${name}>`,
        given: (value: string) => {
          const before = names.slice(0, at).map((one) => (words === 'diff' ? '1' : sample(one)))
          const behind = required.filter((one) => names.indexOf(one) > at).map(sample)
          return [...words.split(' '), ...more(name), '--', ...before, value, ...behind]
        },
      })),
    ],
  }
}

async function refusal(words: string[]): Promise<PkgError> {
  try {
    await parse(words, { version: '1' })
  } catch (error) {
    assert.ok(error instanceof PkgError, String(error))
    return error
  }
  assert.fail(`taken: pkg ${words.map((word) => JSON.stringify(word)).join(' ')}`)
}

for (const entry of COMMANDS) {
  const words = wordsOf(entry)
  test(`pkg ${words}: no option or argument takes what is no value of its kind`, async () => {
    const { taken, switches } = await tableOf(entry)
    for (const { name, given } of taken) {
      const kind = KINDS[`${words} ${name}`] ?? KINDS[name]
      assert.ok(kind || name.startsWith('<') || OF_WORDS.has(name), `of which kind is ${words} ${name}?`)
      for (const value of kind ?? WORDS) {
        const passes = words === 'run' && name !== '--' && given(value).includes('--')
        const asked = passes ? given(value).filter((word) => word !== '--') : given(value)
        const error = await refusal(asked)
        assert.equal(error.code, 'USAGE', `${asked.join(' ')}: ${error.message}`)
        assert.ok(error.message.includes(name.replace(/^--|[<>]/g, '')), error.message)
        assert.ok(error.hint)
      }
    }
    const required = Array.from(entry.usage.matchAll(/<(\w+)/g), ([, name]) =>
      name === 'generation' ? '1' : 'x',
    )
    for (const name of switches) {
      for (const value of ['', 'yes', '1', '0', 'no', 'TRUE']) {
        const { message } = await refusal([
          ...words.split(' '),
          ...required,
          ...(['publish', 'unpublish'].includes(words) ? ['--registry=x'] : []),
          `--${name}=${value}`,
        ])
        assert.equal(message, `--${name} takes no value`)
      }
    }
  })
}

test('a letter with a value behind it is no switch', async () => {
  for (const words of [
    ['gc', '-n1'],
    ['gc', '-n=no'],
    ['remove', 'x', '-qn0'],
  ])
    assert.match((await refusal(words)).message, /^-n takes no value$/)
  assert.ok('invocation' in (await parse(['daemon', 'logs', '-n5'], { version: '1' })))
})

const taken: [words: string[], name: string, value: unknown][] = [
  [['gc', '--keep', '0'], 'keep', 0],
  [['gc', '--keep=12'], 'keep', 12],
  [['gc', '--grace', '0'], 'grace', 0],
  [['gc', '--grace', '1h'], 'grace', 3_600_000],
  [['gc', '--max-freed', '1.5 GiB'], 'max-freed', 1_610_612_736],
  [['gc', '--dry-run=false'], 'dry-run', false],
  [['install', 'x', '--priority', '-5'], 'priority', -5],
  [['switch', '--', '3'], 'generation', 3],
  [['daemon', 'logs'], 'lines', 50],
]
for (const [words, name, value] of taken) {
  test(`pkg ${words.join(' ')}: ${name} is ${value}`, async () => {
    const parsed = await parse(words, { version: '1' })
    assert.ok('invocation' in parsed)
    assert.equal((parsed.invocation.args as Record<string, unknown>)[name], value)
  })
}

const box = await sandbox({ after })

test('names that are none make nothing', async () => {
  const tree = makeProgram(join(box.directory, 'tree'), 'tool', 'hi')
  const file = join(tree, 'bin', 'tool')
  const asked = [
    ...['a', '@1.0.0', 'a@', 'a@1', 'a b@1.0.0', '../x@1.0.0', 'a/b@1.0.0', 'a@1.0.0 ', 'a\n@1.0.0'].flatMap(
      (as) => [
        ['pack', tree, '--as', as],
        ['install', tree, '--as', as],
      ],
    ),
    ...['..', '.x', 'a/b', 'a\nb', 'x'.repeat(256)].map((pin) => ['store', 'add', file, '--pin', pin]),
    ...['a', '=', 'a=', '=b'].map((one) => ['pack', tree, '--as', 'a@1.0.0', '--dependency', one]),
    ...['..', 'a/b', ''].map((name) => ['registry', 'create', join(box.directory, 'reg'), '--name', name]),
  ]
  for (const words of asked) {
    const { status, stdout, stderr } = await box.run(words)
    assert.equal(status, 2, `${JSON.stringify(words)}: ${stderr}`)
    assert.equal(stdout, '')
    assert.doesNotMatch(stderr, /internal error/)
  }
  assert.ok(!existsSync(join(box.directory, 'reg')))
  assert.equal(await box.brief('pin', 'list'), '')
})

test('a variable of the environment that is empty, or no absolute path where it must be one, is as if it were not set', async () => {
  const work = join(box.directory, 'work')
  mkdirSync(work)
  for (const env of [
    { PKG_PREFIX: '', XDG_DATA_HOME: '' },
    { PKG_PREFIX: '', XDG_DATA_HOME: 'relative' },
  ]) {
    const { resolvePrefix } = await import('../../src/paths.ts')
    assert.equal(
      resolvePrefix({ ...env, HOME: '/h' }, { uid: 1, shared: join(work, 'none') }),
      '/h/.local/share/pkg',
    )
  }
})
