import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { parseJson } from '../../src/files/json.ts'
import { parseManifest } from '../../src/packages/manifest.ts'
import { decodeInstalled } from '../../src/profiles/installed.ts'
import { decodeRecord } from '../../src/registry/record-read.ts'

const DEEP = 200_000
const deep = '['.repeat(DEEP) + ']'.repeat(DEEP)

test('what is JSON is read as JSON, and what is too deep for a walk is not', () => {
  for (const text of [
    '{"a":[1,"x\\"]}[","\\\\"]}',
    '[]',
    ' null ',
    '"["',
    '[[[]]]',
    `"${'['.repeat(5000)}"`,
  ]) {
    assert.deepEqual(parseJson(Buffer.from(text)), JSON.parse(text))
  }
  const bad = ['', '{', '"', '"\\', deep, '['.repeat(DEEP), '{"a":'.repeat(DEEP), '[]]', `{"a":${deep}}`]
  for (const text of bad) assert.throws(() => parseJson(Buffer.from(text)), SyntaxError, text.slice(0, 20))
  assert.throws(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)), SyntaxError)
})

test('deep nesting, wherever it stands, is an error of the format', () => {
  const manifest = (more: string) => `{"format":1,"name":"a","version":"1.0.0","programs":["a"],${more}}`
  for (const more of [
    `"hooks":{"x":${deep}}`,
    `"programs":[${deep},${deep}]`,
    `"x":${deep}`,
    `"platforms":[${deep}]`,
  ]) {
    const bytes = Buffer.from(manifest(more))
    assert.throws(
      () => parseManifest(bytes, 'it', { unknown: 'ignore' }),
      (error) => hasCode(error, 'BAD_MANIFEST'),
    )
    assert.throws(
      () => parseManifest(bytes, 'it'),
      (error) => hasCode(error, 'BAD_MANIFEST'),
    )
    assert.throws(
      () => decodeRecord(bytes, 'a'),
      (error) => hasCode(error, 'BAD_REGISTRY'),
    )
    assert.throws(
      () => decodeInstalled(bytes, 'it'),
      (error) => hasCode(error, 'BAD_NODE'),
    )
  }
})
