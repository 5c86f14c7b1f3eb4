// One file or directory of a prefix is something else: a documented end that names it, soon. What once was none, and
// a sample of the table; odd-files.stress.ts goes through all of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pickerOf, randomOf } from '../stress/random.ts'
import { makeOddTemplate, tryOdd } from './odd-files.ts'
import { commandsOf, KINDS, type Kind, placesOf } from './odd-places.ts'

const SAMPLE = 4
/** The same sample each time; the stress test takes others. */
const SEED = Number(process.env.SEED ?? 20261121)

test('commands among odd files', async (t) => {
  const template = await makeOddTemplate(t)
  t.diagnostic(`SEED=${SEED}`)
  const pick = pickerOf(randomOf(SEED))
  const commands = Object.keys(commandsOf(template)).filter((name) => name !== 'start')
  const sample = Array.from(
    { length: SAMPLE },
    () => [pick(placesOf(template)), pick(Object.keys(KINDS) as Kind[]), pick(commands)] as const,
  )
  for (const [place, kind, command] of [['blocks/.stable', 'directory', 'add'] as const, ...sample]) {
    assert.equal(await tryOdd(template, place, kind, command), undefined)
  }
})
