// Places of a prefix, something else that lies there, a command: a shuffled part of the
// thousand and more combinations. CASES says how many, SEED repeats the choice.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf, SEED } from '../stress/random.ts'
import { makeOddTemplate, tryOdd } from './odd-files.ts'
import { commandsOf, KINDS, type Kind, placesOf } from './odd-places.ts'

const CASES = Number(process.env.CASES ?? 300)

test(`commands among odd files, ${CASES} cases of seed ${SEED}`, async (t) => {
  const template = await makeOddTemplate(t)
  const random = randomOf(SEED)
  const cases = placesOf(template)
    .flatMap((place) => (Object.keys(KINDS) as Kind[]).map((kind) => ({ place, kind })))
    .flatMap((odd) => Object.keys(commandsOf(template)).map((command) => ({ ...odd, command })))
    .map((one) => ({ one, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ one }) => one)
  t.diagnostic(`${cases.length} cases in all`)
  const wrong: string[] = []
  const next = async () => {
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      const found = await tryOdd(template, one.place, one.kind, one.command)
      if (found !== undefined) wrong.push(found)
    }
  }
  const todo = cases.slice(0, CASES)
  await Promise.all([next(), next(), next(), next()])
  assert.deepEqual(wrong, [])
})
