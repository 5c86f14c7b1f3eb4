import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import {
  encodeManifest,
  type Manifest,
  parseManifest,
  parseNameVersion,
  validateManifest,
} from '../../src/packages/manifest.ts'

const least: Manifest = { format: 1, name: 'hello', version: '1.0.0', programs: ['hello'] }
const bytes = (text: string) => new TextEncoder().encode(text)

test('manifest: an error names the file and all that is wrong, in words', () => {
  assert.throws(
    () => validateManifest({ ...least, name: 'Hello', version: '1' }, 'here.json'),
    (error) =>
      hasCode(error, 'BAD_MANIFEST') &&
      /here\.json/.test(error.message) &&
      /name: "Hello" is not lower-case letters/.test(error.message) &&
      /version: "1" is not a version by semver/.test(error.message),
  )
})

test('manifest: unknown members are refused where it is made and ignored where it is read', () => {
  const later = { ...least, colour: 'blue' }
  assert.throws(() => validateManifest(later, 'here'), {
    code: 'BAD_MANIFEST',
    message: /unknown member "colour"/,
  })
  assert.equal(validateManifest(later, 'here', { unknown: 'ignore' }).name, 'hello')
})

test('manifest: a later format is told apart from a wrong one', () => {
  assert.throws(() => validateManifest({ ...least, format: 2 }, 'here'), { code: 'UNSUPPORTED' })
  assert.throws(() => validateManifest({ ...least, format: 0 }, 'here'), { code: 'BAD_MANIFEST' })
})

test('manifest: a name that is a CID is refused', () => {
  assert.throws(() => validateManifest({ ...least, name: 'bafkqaaa' }, 'here'), {
    message: /bafkqaaa is a CID/,
  })
})

test('manifest: a dependency has a CID and a name of its own', () => {
  const cid = 'bafkqaaa'
  const wrong = [
    [{ name: 'a', cid: 'notacid123' }],
    [
      { name: 'a', cid },
      { name: 'a', cid },
    ],
  ]
  for (const dependencies of wrong) {
    assert.throws(() => validateManifest({ ...least, dependencies }, 'here'), { code: 'BAD_MANIFEST' })
  }
})

test('manifest: bytes that are no JSON or no UTF-8 are refused', () => {
  assert.throws(() => parseManifest(bytes('{'), 'here'), {
    code: 'BAD_MANIFEST',
    message: /here is not JSON/,
  })
  assert.throws(() => parseManifest(Uint8Array.of(0x22, 0xff, 0x22), 'here'), { code: 'BAD_MANIFEST' })
})

test('manifest: its text does not depend on the order of its members', () => {
  const one: Manifest = {
    format: 1,
    name: 'a',
    version: '1.0.0',
    programs: ['b', 'a'],
    maintainer: { name: 'x', email: 'y@z' },
  }
  const other: Manifest = {
    programs: ['a', 'b'],
    version: '1.0.0',
    maintainer: { email: 'y@z', name: 'x' },
    name: 'a',
    format: 1,
  }
  assert.deepEqual(encodeManifest(one), encodeManifest(other))
  assert.deepEqual(parseManifest(encodeManifest(one), 'here'), { ...one, programs: ['a', 'b'] })
})

test('manifest: name@version is split at its @', () => {
  assert.deepEqual(parseNameVersion('hello@1.0.0'), { name: 'hello', version: '1.0.0' })
  for (const text of ['hello', 'hello@', '@1.0.0', '']) {
    assert.throws(() => parseNameVersion(text), { code: 'USAGE' })
  }
})
