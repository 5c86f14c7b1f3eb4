// A disk that is full, fails or becomes read-only at the nth change of each command,
// for n from the first to the last: see test/durability/faults.ts. POINTS says how many
// points of each command and kind are tried at most, SEED which ones where there are more.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { COMMANDS, FAULTS, type FaultName, FaultyMachine, NO_FAULTS } from '../durability/faults.ts'
import { buildProduct } from './product.ts'
import { randomOf, SEED } from './random.ts'

const POINTS = Number(process.env.POINTS ?? 12)

const launcher = NO_FAULTS ? '' : (await buildProduct({ after })).launcher

for (const command of COMMANDS) {
  test(`pkg ${command} on a disk that fails, seed ${SEED}`, {
    skip: NO_FAULTS,
    timeout: 3_600_000,
  }, async (t) => {
    const random = randomOf(SEED)
    const machine = await FaultyMachine.make(t, launcher)
    const wrong: string[] = []
    let hits = 0
    for (const fault of Object.keys(FAULTS) as FaultName[]) {
      const changes = await machine.changesOf(command, fault)
      const points = Math.min(POINTS, changes)
      for (let point = 0; point < points; point++) {
        const at = 1 + Math.floor(((point + random()) * changes) / points)
        const tried = await machine.try(command, fault, at)
        wrong.push(...tried.wrong)
        if (tried.hit) hits += 1
      }
    }
    t.diagnostic(JSON.stringify({ command, hits }))
    assert.deepEqual(wrong, [])
  })
}
