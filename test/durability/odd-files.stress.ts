// Every place of a prefix, everything that may lie there instead, every command: some thousand runs.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeOddTemplate, tryOdd } from './odd-files.ts'
import { commandsOf, KINDS, type Kind, placesOf } from './odd-places.ts'

test('every command with every odd file', async (t) => {
  const template = await makeOddTemplate(t)
  const wrong: string[] = []
  for (const place of placesOf(template)) {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const commands = Object.keys(commandsOf(template))
      const found = await Promise.all(commands.map((command) => tryOdd(template, place, kind, command)))
      wrong.push(...found.filter((one) => one !== undefined))
    }
  }
  assert.deepEqual(wrong, [])
})
