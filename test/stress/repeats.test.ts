// Some rounds of it; many in repeats.stress.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_MOUNT } from '../mount/mounted.ts'
import { SEED } from './random.ts'
import { repeatsStorm } from './repeats.ts'

test(`files of few blocks, seed ${SEED}: right or EIO while damaged, right when healed`, {
  skip: NO_MOUNT,
}, async (t) => {
  const figures = await repeatsStorm(t, { rounds: 4, seed: SEED })
  t.diagnostic(JSON.stringify(figures))
  assert.ok(figures.right > 0 && figures.collections > 0 && figures.added > 0)
})
