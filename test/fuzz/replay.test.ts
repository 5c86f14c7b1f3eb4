// What the fuzzer found worth keeping, and some inputs made from it: the same ones
// each time, unless SEED names others. The search for new ones is fuzz.stress.ts.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { randomOf } from '../stress/random.ts'
import { loadTarget, readCorpus, TARGETS } from './corpus.ts'
import { fuzz } from './fuzz.ts'

const SEED = Number(process.env.SEED ?? 20261121)

/** New inputs for each target: a second or so. */
const RUNS: Readonly<Record<(typeof TARGETS)[number], number>> = {
  car: 600,
  links: 3000,
  unixfs: 2000,
  dag: 100,
  json: 1000,
  'temp-pin': 500,
  words: 150,
  api: 150,
  'mount-paths': 1000,
}

for (const name of TARGETS) {
  test(`${name}: the corpus and new inputs from seed ${SEED} bring no surprise`, async () => {
    const target = await loadTarget(name)
    after(() => target.close?.())
    const known = readCorpus(name)
    const { runs } = await fuzz(target, known, { random: randomOf(SEED), runs: known.length + RUNS[name] })
    assert.ok(runs >= RUNS[name])
  })
}
