import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../../src/errors.ts'
import {
  encodeRecord,
  mergePublication,
  type PackageRecord,
  type Publication,
  withoutVersion,
} from '../../src/registry/record.ts'
import { decodeRecord } from '../../src/registry/record-read.ts'

const CID_A = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const CID_B = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

function publication(version: string, more: Partial<Publication> = {}): Publication {
  return {
    name: 'tool',
    version,
    published: '2026-01-02T03:04:05.000Z',
    description: `tool ${version}`,
    builds: [{ os: 'linux', arch: 'x64', cid: CID_A, size: 10, programs: ['tool'] }],
    ...more,
  }
}

function published(...publications: Publication[]): PackageRecord {
  let record: PackageRecord | undefined
  for (const one of publications) record = mergePublication(record, one)
  assert.ok(record)
  return record
}

test('a first publication makes the record', () => {
  const record = published(publication('1.0.0'))
  assert.equal(record.name, 'tool')
  assert.equal(record.description, 'tool 1.0.0')
  assert.deepEqual(record.versions[0]?.platforms[0]?.programs, ['tool'])
})

test('the order of publishing does not show in the bytes', () => {
  const all = ['1.0.0', '1.10.0', '1.9.0', '2.0.0-beta.1'].map((version) => publication(version))
  all.push(
    publication('1.9.0', { builds: [{ os: 'linux', arch: 'arm64', cid: CID_B, size: 9, programs: [] }] }),
  )
  const expected = encodeRecord(published(...all))
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
      assert.deepEqual(encodeRecord(published(...shuffled)), expected)
    }),
    { seed: 7, numRuns: 60 },
  )
})

test('publishing the same again changes nothing, not even the date', () => {
  const once = published(publication('1.0.0'))
  const twice = mergePublication(once, publication('1.0.0', { published: '2027-01-01T00:00:00.000Z' }))
  assert.deepEqual(encodeRecord(twice), encodeRecord(once))
})

test('another CID for a published version and platform is refused', () => {
  const builds = [{ os: 'linux', arch: 'x64', cid: CID_B, size: 1, programs: [] }]
  const record = published(publication('1.0.0'))
  assert.throws(
    () => mergePublication(record, publication('1.0.0', { builds })),
    (error) => hasCode(error, 'EXISTS') && error.message.includes(CID_A),
  )
  const replaced = mergePublication(record, publication('1.0.0', { builds }), { replace: true })
  assert.equal(replaced.versions[0]?.platforms[0]?.cid, CID_B)
})

test('another platform of a version stands beside the first', () => {
  const arm = [{ os: 'linux', arch: 'arm64', cid: CID_B, size: 1, programs: [] }]
  const record = published(publication('1.0.0'), publication('1.0.0', { builds: arm }))
  assert.deepEqual(
    record.versions[0]?.platforms.map(({ arch }) => arch),
    ['arm64', 'x64'],
  )
})

test('an old version leaves the description of the newest', () => {
  const record = published(publication('2.0.0'), publication('1.0.0'))
  assert.equal(record.description, 'tool 2.0.0')
})

test('taking the last version away leaves no record', () => {
  const record = published(publication('1.0.0'), publication('2.0.0'))
  const left = withoutVersion(record, '2.0.0')
  assert.deepEqual(
    left?.versions.map(({ version }) => version),
    ['1.0.0'],
  )
  assert.equal(left && withoutVersion(left, '1.0.0'), undefined)
})

test('what was encoded reads back equal', () => {
  const record = published(publication('1.0.0', { homepage: 'https://example.org', licence: 'MIT' }))
  assert.deepEqual(decodeRecord(encodeRecord(record), 'tool'), record)
})

const hostile: [title: string, change: (record: Record<string, unknown>) => unknown][] = [
  ['another format', (record) => ({ ...record, format: 2 })],
  ['another name', (record) => ({ ...record, name: 'other' })],
  ['no versions', ({ versions: _, ...rest }) => rest],
  ['a list', () => []],
  ['null', () => null],
  ['a version that is no semver', (record) => ({ ...record, versions: [{ version: 'x', platforms: [] }] })],
  [
    'a CID that is none',
    (record) => ({ ...record, versions: [{ version: '1.0.0', platforms: [{ cid: '../..', size: 1 }] }] }),
  ],
  [
    'a negative size',
    (record) => ({ ...record, versions: [{ version: '1.0.0', platforms: [{ cid: CID_A, size: -1 }] }] }),
  ],
  ['a huge text', (record) => ({ ...record, description: 'x'.repeat(10_000) })],
]
for (const [title, change] of hostile) {
  test(`a record with ${title} is refused`, () => {
    const bytes = Buffer.from(JSON.stringify(change({ ...published(publication('1.0.0')) })))
    assert.throws(
      () => decodeRecord(bytes, 'tool'),
      (error) => hasCode(error, 'BAD_REGISTRY'),
    )
  })
}

test('bytes that are not JSON are refused', () => {
  assert.throws(
    () => decodeRecord(Buffer.from([0xff, 0xfe]), 'tool'),
    (error) => hasCode(error, 'BAD_REGISTRY'),
  )
})
