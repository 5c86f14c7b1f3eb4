import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, suggest } from '../../src/install/suggest.ts'

const names = ['esbuild', 'eslint', 'node', 'npm', 'ripgrep', 'jq', 'esbuild-wasm']

const cases: [wanted: string, expected: string[]][] = [
  ['esbuld', ['esbuild']],
  ['ebsuild', ['esbuild']],
  ['ESBUILD', ['esbuild', 'esbuild-wasm']],
  ['nod', ['node']],
  ['rip', ['ripgrep']],
  ['qj', ['jq']],
  ['zzzzzz', []],
]
for (const [wanted, expected] of cases) {
  test(`${wanted} suggests ${expected.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(suggest(wanted, names), expected)
  })
}

test('at most three names are suggested', () => {
  assert.equal(suggest('pkg', ['pkg1', 'pkg2', 'pkg3', 'pkg4']).length, 3)
})

const distances: [a: string, b: string, distance: number][] = [
  ['', '', 0],
  ['abc', '', 3],
  ['abc', 'abd', 1],
  ['abc', 'acb', 1],
  ['kitten', 'sitting', 3],
]
for (const [a, b, distance] of distances) {
  test(`${a} is ${distance} from ${b}`, () => assert.equal(editDistance(a, b), distance))
}
