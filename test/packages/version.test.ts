// The one order of versions, and the revisions of distributions.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareVersions, withRevision } from '../../src/packages/version.ts'

const ASCENDING = [
  '0.9.0',
  '1.15.0-2',
  '1.15.0-2+1',
  '1.15.0-alpha',
  '1.15.0-rc.1',
  '1.15.0',
  '1.15.0+1',
  '1.15.0+2',
  '1.15.0+2.1',
  '1.15.0+10',
  '1.15.0+deb12u1',
  '1.15.1-0',
  '1.15.1',
]

test('builds of one version are ascending by their numbers', () => {
  assert.deepEqual(ASCENDING.toReversed().sort(compareVersions), ASCENDING)
})

test('no two texts are the same version, and the order is one', () => {
  const identifier = fc.constantFrom('0', '1', '01', '10', 'a', '-', 'deb12u1')
  const version = fc
    .tuple(fc.nat({ max: 2 }), fc.array(identifier, { maxLength: 3 }))
    .map(([patch, build]) => `1.0.${patch}${build.length === 0 ? '' : `+${build.join('.')}`}`)
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      assert.equal(compareVersions(a, b) === 0, a === b)
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) || 0)
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0)
    }),
    { seed: 24, numRuns: 2000 },
  )
})

for (const [version, meant] of [
  ['1.15.0-2', '1.15.0+2'],
  ['5.36.0-7+deb12u4', '5.36.0+7.deb12u4'],
  ['1.7.1-3ubuntu0.24.04.1', '1.7.1+3ubuntu0.24.04.1'],
  ['1.15.0', undefined],
  ['1.15.0+2', undefined],
  ['1.15.0-rc.1', undefined],
  ['1.15.0-beta2', undefined],
] as const) {
  test(`${version} ${meant === undefined ? 'is no revision' : `is meant as ${meant}`}`, () => {
    assert.equal(withRevision(version), meant)
    if (meant !== undefined) assert.ok(compareVersions(meant, '1.15.0') > 0 || !meant.startsWith('1.15'))
  })
}

test('versions are compared by this function and no other', () => {
  const source = join(import.meta.dirname, '..', '..', 'src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  const others = files.filter((name) => {
    return (
      name !== 'packages/version.ts' &&
      /semver(?:\/functions\/|\.)(?:r?compare|r?sort|gte?|lte?|cmp|maxSatisfying)\b/.test(
        readFileSync(join(source, name), 'utf8'),
      )
    )
  })
  assert.deepEqual(others, [])
})
