// Words that every object of JavaScript has as a member: no command, no option.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from '../../src/cli/words/parse.ts'
import { hasCode } from '../../src/errors.ts'

const WORDS = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']

for (const word of WORDS) {
  test(`${word} is a word like any other that is wrong`, async () => {
    const dashed = word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const lines = [[word], ['store', word], ['help', word], ['history', word]]
    for (const option of [`--${word}`, `---${word}`, `--no-${word}`, `--${dashed}=x`]) {
      lines.push(
        [option],
        ['x', option],
        ['list', option],
        ['store', option],
        ['pin', 'add', 'a', 'b', option],
      )
    }
    for (const words of lines) {
      await assert.rejects(
        async () => {
          const parsed = await parse(words, { version: '0' })
          // The page of all commands answers a question for help about something else.
          if (words[0] === 'help' && 'text' in parsed) throw new TypeError('help')
        },
        (error) => (hasCode(error, 'USAGE') && !/function|object/.test(error.message)) || words[0] === 'help',
        words.join(' '),
      )
    }
    const passed = await parse(['run', 'x', '--', `--${word}`], { version: '0' })
    assert.ok('invocation' in passed)
  })
}
