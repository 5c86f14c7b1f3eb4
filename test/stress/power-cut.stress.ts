// Hundreds of power cuts: see test/durability/power-cut.ts. CUTS says how many, SEED
// repeats a run as far as its choices go; when a process writes what is up to the machine.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { NO_DISK } from '../durability/disk.ts'
import { cutPower } from '../durability/power-cut.ts'
import { buildProduct } from './product.ts'
import { SEED } from './random.ts'

const CUTS = Number(process.env.CUTS ?? 200)

const library = NO_DISK ? '' : (await buildProduct({ after })).library

test(`${CUTS} power cuts, seed ${SEED}: no violation`, {
  skip: NO_DISK,
  timeout: 3_600_000,
}, async (t) => {
  const { wrong, ...figures } = await cutPower({ library, seed: SEED, cuts: CUTS })
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(wrong, [])
})
