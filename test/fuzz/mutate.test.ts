// A seed has to repeat a run: what a mutator made before changes nothing of what it makes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf, SEED } from '../stress/random.ts'
import { mutate } from './mutate.ts'
import { mutateJson } from './mutate-json.ts'

const TEXT =
  '{"name":"hello","needs":{"a":"1.0.0"},"links":["bin/a",{"b":[1,2,3]}],"meta":{"deep":{"er":[]}}}'

/** `count` inputs, each from the one before where that still is JSON. */
function chain(seed: number, count: number): string[] {
  const random = randomOf(seed)
  const made: string[] = []
  let text = TEXT
  for (let at = 0; at < count; at++) {
    const changed = mutateJson(text, random)
    made.push(changed ?? '')
    text = changed !== undefined && changed.length < 4000 ? changed : TEXT
  }
  return made
}

test(`a seed makes the same JSON twice in one process, from seed ${SEED}`, () => {
  for (const seed of [SEED, 1, 297362]) assert.deepEqual(chain(seed, 5000), chain(seed, 5000))
})

test(`a seed makes the same bytes twice in one process, from seed ${SEED}`, () => {
  const material = { corpus: [Buffer.from(TEXT)], dictionary: [Buffer.from('bin')] }
  const all = (seed: number) => {
    const random = randomOf(seed)
    return Array.from({ length: 5000 }, () => Buffer.from(mutate(Buffer.from(TEXT), random, material)))
  }
  assert.deepEqual(all(SEED), all(SEED))
})
