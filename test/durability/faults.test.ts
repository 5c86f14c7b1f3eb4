// A disk that fails in the middle of a command: a few points of each kind. Hundreds
// of them are in test/stress.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { buildProduct } from '../stress/product.ts'
import { randomOf, SEED } from '../stress/random.ts'
import { type CommandName, type FaultName, FaultyMachine, NO_FAULTS } from './faults.ts'

const POINTS: [CommandName, FaultName][] = [
  ['install', 'ENOSPC'],
  ['store add', 'EDQUOT'],
  ['gc', 'EIO'],
  ['rollback', 'EROFS'],
]

const launcher = NO_FAULTS ? '' : (await buildProduct({ after })).launcher

test(`a disk that fails at some point of a command, seed ${SEED}`, { skip: NO_FAULTS }, async (t) => {
  const random = randomOf(SEED)
  const machine = await FaultyMachine.make(t, launcher)
  for (const [command, fault] of POINTS) {
    const at = 1 + Math.floor(random() * (await machine.changesOf(command, fault)))
    const { wrong } = await machine.try(command, fault, at)
    assert.deepEqual(wrong, [])
  }
})
