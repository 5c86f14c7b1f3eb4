import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldGenerations } from '../../src/cli/commands/why.ts'
import { tree } from '../collector/scenario.ts'

test('generations that lead there the same way are one line, with their numbers', () => {
  const cid = tree('any').root
  const of = (number: number, name: string, profile = '/p/ann') => {
    const root = {
      kind: 'generation' as const,
      cid,
      name: 'ann',
      path: `${profile}/${number}`,
      profile,
      number,
      via: [],
    }
    return { root: { ...root, current: number === 9 }, path: [{ cid, name }] }
  }
  const reasons = [
    of(1, 'x'),
    of(2, 'x'),
    of(3, 'x'),
    of(5, 'x'),
    of(6, 'y'),
    of(9, 'x'),
    of(1, 'x', '/p/bob'),
  ]
  assert.deepEqual(
    foldGenerations(reasons).map(({ title }) => title),
    ['generations 1-3, 5, 9 of /p/ann (9 is current)', 'generation 6 of /p/ann', 'generation 1 of /p/bob'],
  )
})

test('the way that is shown is the one of the current generation', () => {
  const of = (number: number, current: boolean) => {
    const { root: cid } = tree(`generation ${number}`)
    const path = `/p/ann/${number}`
    const root = {
      kind: 'generation' as const,
      cid,
      name: 'ann',
      path,
      profile: '/p/ann',
      number,
      via: [],
      current,
    }
    return { root, path: [{ cid, name: 'x' }] }
  }
  const reasons = [of(3, false), of(4, true), of(5, false)]
  assert.equal(foldGenerations(reasons)[0]?.path, reasons[1]?.path)
})
