// What was reported done survives a power cut, and what a cut damaged is found
// before anybody trusts it. Hundreds of cuts are in test/stress.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { buildProduct } from '../stress/product.ts'
import { SEED } from '../stress/random.ts'
import { NO_DISK } from './disk.ts'
import { cutPower } from './power-cut.ts'

const library = NO_DISK ? '' : (await buildProduct({ after })).library

test(`power cuts under load, seed ${SEED}: nothing that was reported is lost`, {
  skip: NO_DISK,
}, async (t) => {
  const { wrong, ...figures } = await cutPower({ library, seed: SEED, cuts: 3 })
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(wrong, [])
  assert.ok(Object.keys(figures.done).length > 1)
})

test('the same without the barrier before a link: it is noticed', { skip: NO_DISK }, async () => {
  const env = { PKG_TEST_BREAK: 'barrier' }
  const { wrong } = await cutPower({ library, seed: SEED, cuts: 10, env })
  assert.match(wrong.join('\n'), /is missing|has other bytes/)
})
