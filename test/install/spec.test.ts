import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CID } from 'multiformats/cid'
import { hasCode } from '../../src/errors.ts'
import { parseSpec } from '../../src/install/spec.ts'

const V0 = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const V1 = 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354'

for (const spelling of [V0, V1, `/ipfs/${V1}`, `ipfs://${V1}`]) {
  test(`${spelling} is a CID`, () => {
    const spec = parseSpec(spelling)
    assert.ok(spec.kind === 'cid')
    assert.ok(spec.cid.toV1().equals(CID.parse(V1)))
    assert.equal(spec.path, '')
  })
}

for (const spelling of [`${V1}/bin/x`, `/ipfs/${V0}/bin/x`, `ipfs://${V1}/bin/x`]) {
  test(`${spelling} is a CID with a path below it`, () => {
    const spec = parseSpec(spelling)
    assert.ok(spec.kind === 'cid')
    assert.equal(spec.path, 'bin/x')
  })
}

const names: [text: string, name: string, range: string | undefined][] = [
  ['esbuild', 'esbuild', undefined],
  ['esbuild@0.24', 'esbuild', '0.24'],
  ['esbuild@^0.24', 'esbuild', '^0.24'],
  ['esbuild@>=1 <2', 'esbuild', '>=1 <2'],
  ['node.js@latest', 'node.js', 'latest'],
]
for (const [text, name, range] of names) {
  test(`${text} is a name`, () => assert.deepEqual(parseSpec(text), { kind: 'name', name, range }))
}

for (const path of [
  './esbuild',
  '../x',
  '.',
  'a/b',
  '/ipfs/store/x',
  `/ipfs/store/${V1}/bin`,
  '/home/u/link',
]) {
  test(`${path} is a path`, () => assert.deepEqual(parseSpec(path), { kind: 'path', path }))
}

test('an empty spec and a missing version are usage errors', () => {
  assert.throws(
    () => parseSpec(''),
    (error) => hasCode(error, 'USAGE'),
  )
  assert.throws(
    () => parseSpec('esbuild@'),
    (error) => hasCode(error, 'USAGE'),
  )
})
