// 10,000 flipped bits in block files, while programs read and repairs go on.
// FLIPS says how many, SEED repeats a run.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_MOUNT } from '../mount/mounted.ts'
import { bitRot } from './bit-rot.ts'
import { SEED } from './random.ts'

const FLIPS = Number(process.env.FLIPS ?? 10_000)

test(`${FLIPS} flipped bits, seed ${SEED}: every read is right or EIO, and all is healed`, {
  skip: NO_MOUNT,
  timeout: 3_600_000,
}, async (t) => {
  const figures = await bitRot(t, { flips: FLIPS, inRound: 20, seed: SEED })
  t.diagnostic(JSON.stringify(figures))
  assert.ok(figures.damaged > 0 && figures.healed > 0)
})
