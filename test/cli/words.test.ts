// Words that are wrong, help, and what comes out where: nothing here makes a store.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { COMMANDS, wordsOf } from '../../src/cli/commands.ts'
import { parse } from '../../src/cli/words/parse.ts'
import { hasCode } from '../../src/errors.ts'
import { suggest } from '../../src/install/suggest.ts'
import { LAUNCHER, makeProgram, outcome, sandbox } from './harness.ts'

const box = await sandbox({ after })

const help = async (...words: string[]) => {
  const parsed = await parse([...words, '--help'], { version: '1.2.3' })
  assert.ok('text' in parsed)
  return parsed.text
}

for (const entry of COMMANDS) {
  const words = wordsOf(entry)
  test(`help of ${words}: use, example, options, exit statuses`, async () => {
    const text = await help(...words.split(' '))
    assert.match(text, new RegExp(`^pkg ${words}`))
    for (const part of ['Examples:', 'Exit status:', '--json', '--quiet', '130 interrupted']) {
      assert.ok(text.includes(part), `${part} in ${text}`)
    }
    assert.ok(!text.includes('default: []'))
  })
}

test('the root page names every command and the exit statuses', async () => {
  const text = await help()
  for (const { usage, about } of COMMANDS) assert.ok(text.includes(usage) && text.includes(about), usage)
  assert.match(text, /Exit status: 0 done/)
})

test('pkg, pkg --help, pkg help and pkg -h show the root page', async () => {
  const page = await help()
  for (const words of [[], ['--help'], ['help'], ['-h'], ['--quiet', '--help']]) {
    const { status, stdout, stderr } = await box.run(words)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${page.trimEnd()}\n`, stderr: '' })
  }
})

test('pkg help install is pkg install --help; a group has a page of its own', async () => {
  const parsed = await parse(['help', 'install'], { version: '1.2.3' })
  assert.deepEqual(parsed, { text: await help('install') })
  const group = await help('store')
  assert.ok(group.includes('pkg store add <path>') && !group.includes('install'))
})

test('--version', async () => {
  assert.match((await box.run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

const WRONG: [words: string, message: RegExp, hint: RegExp][] = [
  ['instal', /no command "instal"/, /Did you mean "pkg install"\?/],
  ['add', /no command "add"/, /"pkg store add"/],
  ['qwertz', /no command "qwertz"/, /pkg --help/],
  ['store', /needs one word more/, /pkg store add, /],
  ['store lss', /no command "store lss"/, /"pkg store ls"/],
  ['install', /missing/, /pkg install <package\.\.>/],
  ['history nonsense', /"nonsense" is not understood/, /Use: pkg history\./],
  ['list --josn', /--josn is not understood/, /Did you mean --json\?/],
  ['gc --dryrun', /--dryrun/, /--dry-run/],
  ['list --generation 1 --generation 2', /--generation is given twice/, /pkg list/],
  ['install -y ruff', /^-y is not understood here$/, /pkg install <package\.\.>/],
  ['install --yes ruff', /^--yes is not understood here$/, /pkg install/],
  ['remove -f', /^-f is not understood here$/, /pkg remove/],
  ['store cat -x b', /^-x is not understood here$/, /pkg store cat/],
  ['install -ny ruff', /^-y is not understood here$/, /pkg install/],
  ['run -x y', /^-x is not understood here$/, /: pkg run y -- -x$/],
  ['list -xl', /^-x is not understood here$/, /pkg list/],
  ['install --dry-run', /arguments are missing/, /pkg install/],
  ['list --profile', /missing after --profile/, /pkg list/],
]

for (const [words, message, hint] of WRONG) {
  test(`pkg ${words}: USAGE with a hint`, async () => {
    await assert.rejects(parse(words.split(' '), { version: '1' }), (error) => {
      assert.ok(hasCode(error, 'USAGE'))
      assert.match(error.message, message)
      assert.match(error.hint ?? '', hint)
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  })
}

test('global options may stand before the command', async () => {
  const parsed = await parse(['--json', '--prefix', '/x', 'list', '-q'], { version: '1' })
  assert.ok('invocation' in parsed)
  const { json, quiet, prefix } = parsed.invocation.args
  assert.deepEqual({ json, quiet, prefix }, { json: true, quiet: true, prefix: '/x' })
})

test('"-" is an argument, and words after "--" stay what they are', async () => {
  const parsed = await parse(['store', 'import', '-'], { version: '1' })
  assert.ok('invocation' in parsed && (parsed.invocation.args as { file?: string }).file === '-')
  const run = await parse(['run', 'x', '--', '-', '--json', '--'], { version: '1' })
  assert.ok('invocation' in run)
  assert.deepEqual(run.invocation.args['--'], ['-', '--json', '--'])
  assert.equal(run.invocation.args.json, undefined)
})

test('an error goes to standard error and sets the exit status', async () => {
  const { status, stdout, stderr } = await box.run(['instal'])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.equal(stderr, 'pkg: there is no command "instal"\nhint: Did you mean "pkg install"?\n')
})

test('under --json an error is a record on standard output', async () => {
  for (const words of [
    ['instal', '--json'],
    ['list', '--josn', '--json'],
  ]) {
    const { status, stdout, stderr } = await box.run(words)
    assert.equal(status, 2)
    assert.equal(stderr, '')
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hint: string } }
    assert.equal(error.code, 'USAGE')
    assert.ok(error.message && error.hint)
  }
})

test('asking for the daemon makes nothing where there is no prefix', async () => {
  assert.equal((await box.run(['daemon', 'status', '--quiet'])).stdout, 'none\n')
  assert.ok(!existsSync(box.prefix))
})

test('a reader that goes away is no error', async () => {
  const { stdout, stderr } = await outcome(['sh', '-c', `"${LAUNCHER}" --help | head -1`], {
    cwd: box.directory,
    env: box.env,
  })
  assert.match(stdout, /^pkg <command>/)
  assert.equal(stderr, '')
})

const MISLED: [words: string, status: number, said: RegExp][] = [
  [
    'install bare --as bare@1.0.0',
    2,
    /bare is taken for a name, .*\nhint: A directory is written as a path: \.\/bare\n$/,
  ],
  [
    'install nowhere --as bare@1.0.0',
    2,
    /nowhere is no directory to pack: .*\nhint: Name a directory: \.\/dir/,
  ],
  ['diff', 3, /there is no generation before the current one in .*\nhint: Name two: pkg diff <from> <to>/],
  [
    'which rg',
    3,
    /no installed package has a program "rg"\nhint: `pkg list` shows what is installed; .*pkg search rg/,
  ],
  ['registry add x ./gone', 3, /there is no directory .*\/gone\nhint: Name one that is there/],
  [
    'install ./tree --as col@v1.2.0',
    2,
    /cannot be made so: version: .*\nhint: A version begins with its number: --as col@1\.2\.0\n$/,
  ],
  [
    'pack ./tree --as Bad/Name@1.0.0',
    2,
    /cannot be made so: name: .*\nhint: For example: --as hello@1\.0\.0/,
  ],
  ['registry add x https://example.org/reg', 2, /is an address, .*\nhint: Name a directory, or the CID/],
]

test('a hint leads on: what it names can be done', async (t) => {
  const own = await sandbox(t)
  mkdirSync(join(own.directory, 'bare'))
  await own.brief('install', makeProgram(join(own.directory, 'tree'), 'tool', 'hi'), '--as', 'tool@1.0.0')
  for (const [words, status, said] of MISLED) {
    const result = await own.run(words.split(' '))
    assert.match(result.stderr, said)
    assert.equal(result.status, status, words)
  }
})

test('a name that two places have is suggested once', () => {
  assert.deepEqual(suggest('nod', ['node', 'node']), ['node'])
})
