// 200 flipped bits, while programs read; 10,000 in bit-rot.stress.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_MOUNT } from '../mount/mounted.ts'
import { bitRot } from './bit-rot.ts'
import { SEED } from './random.ts'

test(`200 flipped bits, seed ${SEED}: every read is right or EIO, and all is healed`, {
  skip: NO_MOUNT,
}, async (t) => {
  const figures = await bitRot(t, { flips: 200, inRound: 25, seed: SEED })
  t.diagnostic(JSON.stringify(figures))
  assert.ok(figures.damaged > 0 && figures.healed > 0 && (figures.mount.right ?? 0) > 0)
})
