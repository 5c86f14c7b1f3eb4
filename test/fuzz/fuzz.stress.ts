// Every target for FUZZ_SECONDS, from SEED; the seed is printed, and a finding
// leaves its input in FUZZ_FINDINGS. FUZZ_KEEP=1 adds to the corpus what reached
// something new. FUZZ_TARGETS names some of the targets.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SEED } from '../stress/random.ts'
import { TARGETS } from './corpus.ts'

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 20)
const FINDINGS = process.env.FUZZ_FINDINGS ?? join(tmpdir(), 'pkg-fuzz-findings')
const names = process.env.FUZZ_TARGETS?.split(',') ?? TARGETS

after(() => {
  // Where nothing was found nothing is left.
  if (readdirSync(FINDINGS).length === 0) rmdirSync(FINDINGS)
})

for (const name of names) {
  test(`${name}: ${SECONDS} s of inputs from seed ${SEED} bring no surprise`, (t) => {
    const words = [name, String(SECONDS), String(SEED), FINDINGS, ...(process.env.FUZZ_KEEP ? ['keep'] : [])]
    const child = spawnSync(process.execPath, [join(import.meta.dirname, 'child.ts'), ...words], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    assert.equal(
      child.status,
      0,
      `${child.signal ?? ''} ${child.stderr.slice(-2000)}; a hang leaves its input in ${FINDINGS}`,
    )
    t.diagnostic(child.stdout.trim())
    assert.ok(!('finding' in JSON.parse(child.stdout)), child.stdout)
  })
}
