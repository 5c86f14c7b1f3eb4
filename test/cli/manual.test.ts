// Manual pages: one for every command, with all that its help says, in roff that a formatter takes.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { COMMANDS, wordsOf } from '../../src/cli/commands.ts'
import { manualPages } from '../../src/cli/words/manual.ts'
import { describeOptions } from '../../src/cli/words/parse-options.ts'

const pages = new Map((await manualPages('1.2.3')).map(({ file, text }) => [file, text]))
const plain = (roff: string) =>
  roff
    .replace(/\\f[BIR]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\e', '\\')

test('every command has a page, named by the first of them', () => {
  assert.equal(pages.size, COMMANDS.length + 1)
  for (const entry of COMMANDS) {
    const name = `pkg-${wordsOf(entry).replaceAll(' ', '-')}`
    assert.ok(pages.has(`${name}.1`), name)
    assert.ok(plain(pages.get('pkg.1') ?? '').includes(`${name}(1)`), name)
  }
})

test('a page has every option of the command, with the whole of what is said of it', async () => {
  for (const entry of COMMANDS) {
    const text = plain(pages.get(`pkg-${wordsOf(entry).replaceAll(' ', '-')}.1`) ?? '')
    for (const [option, about] of Object.entries(await describeOptions(entry))) {
      assert.match(text, new RegExp(`^(-., )?--${option}$`, 'm'), `${wordsOf(entry)} --${option}`)
      assert.ok(text.includes(about), `${wordsOf(entry)} --${option}: ${about}`)
    }
  }
})

const groff = spawnSync('groff', ['--version']).status === 0

test('a formatter has nothing to say against them', { skip: groff ? false : 'no groff here' }, () => {
  for (const [file, input] of pages) {
    const { status, stderr } = spawnSync('groff', ['-man', '-ww', '-Kutf8', '-Tutf8', '-z'], { input })
    assert.deepEqual([status, String(stderr)], [0, ''], file)
  }
})

test('package.json names every page: npm installs those and no others', () => {
  assert.deepEqual(packageJson.man, Array.from(pages.keys(), (file) => `dist/man/${file}`).sort())
})
