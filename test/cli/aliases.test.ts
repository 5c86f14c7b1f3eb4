// Other words for a command, and options that stand before it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from '../../src/cli/words/parse.ts'
import { hasCode } from '../../src/errors.ts'

const read = (words: string) => parse(words === '' ? [] : words.split(' '), { version: '1.2.3' })

const ALIASES: [typed: string, meant: string][] = [
  ['uninstall hello', 'remove'],
  ['rm hello', 'remove'],
  ['ls', 'list'],
  ['--json ls', 'list'],
  ['pin rm x', 'pin remove'],
  ['registry ls', 'registry list'],
  ['store ls bafy', 'store ls'],
]

for (const [typed, meant] of ALIASES) {
  test(`pkg ${typed} is pkg ${meant}`, async () => {
    const parsed = await read(typed)
    assert.ok('invocation' in parsed)
    assert.equal(parsed.invocation.words, meant)
  })
}

test('an alias has the help of its command', async () => {
  assert.deepEqual(await read('uninstall --help'), await read('remove --help'))
  assert.deepEqual(await read('help rm'), await read('remove --help'))
})

for (const typed of ['version', '-V', '--version', '-q version']) {
  test(`pkg ${typed} says the version`, async () => {
    assert.deepEqual(await read(typed), { text: '1.2.3' })
  })
}

const WRONG: [words: string, message: RegExp, hint: RegExp][] = [
  ['update', /no command "update"/, /^Did you mean "pkg upgrade" or "pkg registry update"\?$/],
  ['--josn list', /--josn is not understood/, /Did you mean --json\?/],
  ['--nosuch', /--nosuch is not understood/, /pkg --help/],
  ['--nosuch=1 --json', /--nosuch is not understood/, /pkg --help/],
  ['store --josn ls', /--josn is not understood/, /Did you mean --json\?/],
  ['--dry-run gc', /--dry-run is not understood/, /after the command: pkg gc --dry-run/],
  ['-x list', /-x is not understood/, /pkg --help/],
]

for (const [words, message, hint] of WRONG) {
  test(`pkg ${words}: USAGE with a hint`, async () => {
    await assert.rejects(read(words), (error) => {
      assert.ok(hasCode(error, 'USAGE'))
      assert.match(error.message, message)
      assert.match(error.hint ?? '', hint)
      return true
    })
  })
}

test('--profile and --prefix want a directory', async () => {
  for (const words of [
    ['list', '--profile', ''],
    ['--prefix=', 'list'],
  ]) {
    await assert.rejects(parse(words, { version: '1' }), {
      code: 'USAGE',
      message: /^the value of --pr\w+ is empty$/,
    })
  }
})

test('after "--" a word is an argument, whatever it begins with', async () => {
  const parsed = await read('pin add -- -x --json')
  assert.ok('invocation' in parsed)
  const { name, cid, json } = parsed.invocation.args as Record<string, unknown>
  assert.deepEqual([name, cid, json], ['-x', '--json', undefined])
})
