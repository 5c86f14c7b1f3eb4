import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type Action,
  appendMove,
  type Move,
  movesThatHappened,
  readMoves,
  wayBack,
} from '../../src/profiles/journal.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** '1>2' is an install, '2<1' a rollback, '1=2' a switch; 0 is no generation. */
const moves = (text: string): Move[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((word) => {
      const [, from, sign, to] = /^(\d+)([<>=])(\d+)$/.exec(word) ?? []
      const action: Action = sign === '<' ? 'rollback' : sign === '=' ? 'switch' : 'install'
      return { time: '2026-11-21T00:00:00.000Z', from: Number(from) || null, to: Number(to), action }
    })

const stacks: [journal: string, stack: number[]][] = [
  ['', []],
  ['0>1', []],
  ['0>1 1>2 2>3', [1, 2]],
  ['0>1 1>2 2>3 3<2', [1]],
  ['0>1 1>2 2>3 3<2 2<1', []],
  ['0>1 1>2 2>3 3<2 2>4', [1, 2]],
  ['0>1 1>2 2>3 3=1', [1, 2, 3]],
  ['0>1 1>2 2>3 3=1 1<3', [1, 2]],
  ['0>1 1>2 2>3 3<1', []],
  ['0>1 1>2 2=1 1=2 2<1', [1, 2]],
  ['0>1 1>2 2<1 1<2', [1]],
]

for (const [journal, stack] of stacks) {
  test(`journal: the way back after ${journal || 'nothing'} is ${stack.join(' ') || 'none'}`, () => {
    assert.deepEqual(wayBack(moves(journal)), stack)
  })
}

const happenings: [journal: string, current: number, happened: string][] = [
  ['0>1 1>2', 2, '0>1 1>2'],
  ['0>1 1>2', 1, '0>1'],
  ['0>1', 0, ''],
  ['0>1 1>2 1>2', 2, '0>1 1>2'],
  ['0>1 1>2 1>2 2>3', 2, '0>1 1>2'],
  ['0>1 1>2', 5, '0>1 1>2 2=5'],
  ['0>1 1>2 5>6', 6, '0>1 1>2 2=5 5>6'],
]

for (const [journal, current, happened] of happenings) {
  test(`journal: of ${journal} with ${current} current, ${happened || 'nothing'} happened`, () => {
    assert.deepEqual(movesThatHappened(moves(journal), current || undefined), moves(happened))
  })
}

test('journal: lines come back as they were appended', async (t) => {
  const file = join(await temporaryDirectory(t), 'journal.jsonl')
  assert.deepEqual(readMoves(file), [])
  const written = moves('0>1 1>2 2<1')
  for (const move of written) appendMove(file, move)
  assert.deepEqual(readMoves(file), written)
})

test('journal: a line that a crash cut short costs no other line', async (t) => {
  const file = join(await temporaryDirectory(t), 'journal.jsonl')
  const [first, second] = moves('0>1 1>2') as [Move, Move]
  appendMove(file, first)
  appendFileSync(file, JSON.stringify(second).slice(0, 30))
  appendMove(file, second)
  assert.deepEqual(readMoves(file), [first, second])
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 4)
})

test('journal: lines that make no sense are passed over', async (t) => {
  const file = join(await temporaryDirectory(t), 'journal.jsonl')
  const [move] = moves('0>1') as [Move]
  appendFileSync(file, '\n[]\nnull\n{"from":1}\n{"time":"x","from":-1,"to":2,"action":"install"}\n')
  appendMove(file, move)
  assert.deepEqual(readMoves(file), [move])
})
