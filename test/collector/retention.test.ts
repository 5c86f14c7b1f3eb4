import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Generation,
  keptBeyond,
  oldGenerations,
  type RetentionPolicy,
} from '../../src/collector/retention.ts'
import { hasCode } from '../../src/errors.ts'
import { tree } from './scenario.ts'

const DAY = 24 * 3600 * 1000
const NOW = 100 * DAY
const { root: cid } = tree('x')

/** Generations 1 to 5, made 5, 4, 3, 2 and 1 days ago; the third is current. */
function five(change: (one: Generation) => Partial<Generation> = () => ({})): Generation[] {
  return [1, 2, 3, 4, 5].map((number) => {
    const created = new Date(NOW - (6 - number) * DAY)
    const path = `/p/generations/${number}`
    const one = { profile: '/p', number, path, cid, created, current: number === 3, named: false }
    return { ...one, ...change(one) }
  })
}

const POLICIES: [string, RetentionPolicy, number[]][] = [
  ['no limit lets nothing go', {}, []],
  ['the newest stay, and the current one', { keep: 1 }, [1, 2, 4]],
  ['keeping none keeps the current one', { keep: 0 }, [1, 2, 4, 5]],
  ['keeping more than there are keeps all', { keep: 9 }, []],
  ['old ones go', { olderThanMs: 3.5 * DAY }, [1, 2]],
  ['an age of nothing lets all but the current one go', { olderThanMs: 0 }, [1, 2, 4, 5]],
  ['with both limits only what is beyond both goes', { keep: 4, olderThanMs: 3.5 * DAY }, [1]],
  ['with both limits the young stay, however many', { keep: 0, olderThanMs: 4.5 * DAY }, [1]],
]
for (const [title, policy, expected] of POLICIES) {
  test(title, () => {
    const old = oldGenerations(five(), policy, NOW)
    assert.deepEqual(
      old.map(({ number }) => number),
      expected,
    )
  })
}

const KEPT: [string, Generation[]][] = [
  ['nothing goes of a profile without a current generation', five(() => ({ current: false }))],
  ['nothing goes of a profile that seems to have two', five(({ number }) => ({ current: number < 3 }))],
  ['what another link leads through stays', five(() => ({ named: true }))],
]
for (const [title, generations] of KEPT) {
  test(title, () => assert.deepEqual(oldGenerations(generations, { keep: 0 }, NOW), []))
}

test('each profile is counted by itself', () => {
  const other = five((one) => ({ profile: '/q', path: `/q/generations/${one.number}` }))
  assert.equal(oldGenerations([...five(), ...other], { keep: 1 }, NOW).length, 6)
})

for (const policy of [{ keep: -1 }, { keep: 1.5 }, { olderThanMs: -1 }, { olderThanMs: Number.NaN }]) {
  test(`${JSON.stringify(policy)} is refused`, () => {
    assert.throws(
      () => oldGenerations(five(), policy, NOW),
      (error) => hasCode(error, 'USAGE'),
    )
  })
}

const BEYOND: [string, RetentionPolicy, Record<number, string>, Parameters<typeof five>[0]?][] = [
  ['none beyond the limit is none to tell of', { keep: 9 }, {}],
  ['without a limit on their number there is none', { olderThanMs: 0 }, {}],
  ['keeping none, the current one is what is expected', { keep: 0 }, {}],
  ['the current one beside the newest', { keep: 1 }, { 3: 'current', 5: 'newest' }],
  ['the young', { keep: 1, olderThanMs: 3.5 * DAY }, { 3: 'current', 4: 'young', 5: 'newest' }],
  [
    'all, where none is current',
    { keep: 4 },
    { 1: 'unknown', 2: 'unknown', 3: 'unknown', 4: 'unknown', 5: 'unknown' },
    () => ({ current: false }),
  ],
  [
    'one that another link leads through',
    { keep: 1 },
    { 2: 'named', 3: 'current', 5: 'newest' },
    ({ number }) => ({ named: number === 2 }),
  ],
]
for (const [title, policy, expected, change] of BEYOND) {
  test(`what stays beyond the limit is told, with why: ${title}`, () => {
    const kept = keptBeyond(five(change), policy, NOW)
    assert.deepEqual(Object.fromEntries(kept.map(({ number, why }) => [number, why])), expected)
  })
}
