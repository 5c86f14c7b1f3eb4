// Our schema check says the same as ajv about the published schema.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { checkSchema, type Schema } from '../../src/packages/schema-check.ts'

const file = join(import.meta.dirname, '..', '..', 'src', 'packages', 'manifest.schema.json')
const schema = JSON.parse(readFileSync(file, 'utf8')) as Schema
const ajv = new Ajv2020({ strict: true, strictRequired: false, unicodeRegExp: true })
const reference = ajv.compile(schema as object)

const cid = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'
const least = { format: 1, name: 'hello', version: '1.0.0', programs: ['hello'] }

const cases: [title: string, manifest: unknown, fits: boolean][] = [
  ['the least', least, true],
  ['no programs', { ...least, programs: [] }, true],
  [
    'every member',
    {
      ...least,
      $schema: './manifest.schema.json',
      description: 'Says hello',
      licence: 'MIT OR (Apache-2.0 WITH LLVM-exception)',
      homepage: 'https://example.org/hello',
      platforms: [
        { os: 'linux', arch: 'x64', libc: 'musl' },
        { os: 'linux', arch: 'arm64' },
      ],
      dependencies: [{ name: 'libhello', version: '2.0.0-rc.1+b5', cid }],
      maintainer: { name: 'A. Person', email: 'a@example.org', key: 'z6MkhaXgBZD' },
      signature: { any: 'thing' },
      hooks: {},
      selfReferences: [1],
      'x-note': [null],
    },
    true,
  ],
  ['an unknown member', { ...least, license: 'MIT' }, false],
  ['an unknown member of a part', { ...least, maintainer: { nick: 'a' } }, false],
  ['no name', { ...least, name: undefined }, false],
  [
    'a name of its own prototype',
    JSON.parse('{"__proto__":1,"format":1,"name":"a","version":"1.0.0","programs":[]}'),
    false,
  ],
  ['a later format', { ...least, format: 2 }, false],
  ['a format as text', { ...least, format: '1' }, false],
  ['not an object', [least], false],
  ['null', null, false],
  ['platforms that are none', { ...least, platforms: [] }, false],
  [
    'a platform twice',
    {
      ...least,
      platforms: [
        { os: 'a', arch: 'b' },
        { arch: 'b', os: 'a' },
      ],
    },
    false,
  ],
  ['a program twice', { ...least, programs: ['a', 'a'] }, false],
  ['a homepage that is none', { ...least, homepage: 'javascript:alert(1)' }, false],
  ['a description over lines', { ...least, description: 'a\nb' }, false],
  ...['', '.', '..', 'a/b', 'a\0', 'a\nb', 'x'.repeat(256)].map(
    (name) =>
      [`program ${JSON.stringify(name.slice(0, 9))}`, { ...least, programs: [name] }, false] as [
        string,
        unknown,
        boolean,
      ],
  ),
  ...['x', 'éa', '...', '-', '😀'.repeat(255)].map(
    (name) =>
      [`program ${name.slice(0, 9)}`, { ...least, programs: [name] }, true] as [string, unknown, boolean],
  ),
  ...['', 'Hello', '-a', '.a', 'a b', 'a/b', '@a/b', 'é', 'a'.repeat(101), cid].map(
    (name) => [`name ${name.slice(0, 9)}`, { ...least, name }, false] as [string, unknown, boolean],
  ),
  ...['a', '0ad', 'g++', 'lib_x-2.0', 'a'.repeat(100)].map(
    (name) => [`name ${name.slice(0, 9)}`, { ...least, name }, true] as [string, unknown, boolean],
  ),
  ...['1', '1.0', 'v1.0.0', '01.0.0', '1.0.0-01', '1.0.0-', '1.0.0+', '99999999999999999.0.0', 1].map(
    (version) => [`version ${version}`, { ...least, version }, false] as [string, unknown, boolean],
  ),
  ...['0.0.0', '1.2.3-alpha.1', '1.0.0-0a', '1.0.0--', '2024.11.21', '1.0.0+001'].map(
    (version) => [`version ${version}`, { ...least, version }, true] as [string, unknown, boolean],
  ),
]

for (const [title, manifest, fits] of cases) {
  test(`schema: ${title} ${fits ? 'fits' : 'does not fit'}`, () => {
    const value = manifest === null ? null : JSON.parse(JSON.stringify(manifest))
    assert.equal(checkSchema(schema, value).length === 0, fits, checkSchema(schema, value).join('; '))
    assert.equal(reference(value), fits)
  })
}

test('schema: ajv agrees on any change of any member', () => {
  const whole = cases.find(([title]) => title === 'every member')?.[1] as Record<string, unknown>
  const members = fc.constantFrom(...Object.keys(whole), 'other', 'x-other')
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...Object.values(whole)))
  fc.assert(
    fc.property(fc.array(fc.tuple(members, value), { maxLength: 3 }), (changes) => {
      const manifest = JSON.parse(JSON.stringify({ ...whole, ...Object.fromEntries(changes) }))
      assert.equal(checkSchema(schema, manifest).length === 0, reference(manifest))
    }),
    { seed: 20261121, numRuns: 500 },
  )
})

test('schema: uses only words that the check knows', () => {
  const annotations = ['$schema', '$id', 'title', 'description']
  const known = [
    '$ref',
    '$defs',
    'type',
    'const',
    'pattern',
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
  ]
  const composed = [
    'uniqueItems',
    'items',
    'required',
    'properties',
    'patternProperties',
    'additionalProperties',
  ]
  const unknown: string[] = []
  const visit = (part: Record<string, unknown>) => {
    for (const [word, value] of Object.entries(part)) {
      if (![...annotations, ...known, ...composed].includes(word)) unknown.push(word)
      if (['properties', 'patternProperties', '$defs'].includes(word))
        Object.values(value as object).forEach(visit)
      if (word === 'items') visit(value as Record<string, unknown>)
    }
  }
  visit(schema as Record<string, unknown>)
  assert.deepEqual(unknown, [])
})
