// Files made of few distinct blocks under reads, damage, repairs, adds and collections at once.
// ROUNDS says how many, SEED repeats a run.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_MOUNT } from '../mount/mounted.ts'
import { SEED } from './random.ts'
import { repeatsStorm } from './repeats.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 150)

test(`files of few blocks, ${ROUNDS} rounds, seed ${SEED}: right or EIO while damaged, right when healed`, {
  skip: NO_MOUNT,
  timeout: 3_600_000,
}, async (t) => {
  const figures = await repeatsStorm(t, { rounds: ROUNDS, seed: SEED })
  t.diagnostic(JSON.stringify(figures))
  assert.ok(figures.right > 0 && figures.failed > 0 && figures.deletedBlocks > 0)
})
