// Everything that is JSON and made by others: manifests, registry records and
// headers, environments, settings, journals, records of auto pins.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../../../src/config.ts'
import { encodeManifest, type Manifest, parseManifest } from '../../../src/packages/manifest.ts'
import { readRecord } from '../../../src/pins/auto-record.ts'
import { decodeInstalled, encodeInstalled } from '../../../src/profiles/installed.ts'
import { movesThatHappened, readMoves, wayBack } from '../../../src/profiles/journal.ts'
import { encodeRecord, mergePublication } from '../../../src/registry/record.ts'
import { decodeRecord } from '../../../src/registry/record-read.ts'
import { Dag } from '../../fixtures/dag.ts'
import { mutateJson } from '../mutate-json.ts'
import { scratchDirectory } from '../scratch.ts'
import { bytesOf, refusing, type Target } from '../target.ts'

const scratch = scratchDirectory()
mkdirSync(scratch, { recursive: true })
const cid = new Dag().raw('x').toString()
const file = join(scratch, 'file')

const manifest = {
  format: 1,
  name: 'hello',
  version: '1.0.0',
  description: 'says hello',
  licence: 'MIT',
  homepage: 'https://example.org',
  platforms: [{ os: 'linux', arch: 'x64', libc: 'glibc' }],
  programs: ['hello'],
  dependencies: [{ name: 'other', version: '2.0.0', cid }],
  maintainer: { name: 'A', email: 'a@example.org', key: 'k' },
  hooks: { a: [[1]] },
  selfReferences: [{}],
}
const record = {
  format: 1,
  name: 'hello',
  description: 'says hello',
  versions: [
    { version: '1.0.0-rc.1', published: '', platforms: [] },
    { version: '1.0.0+build', published: '', platforms: [{ cid, size: 1, programs: ['b', 'a'] }] },
    {
      version: '1.0.0',
      published: '2026-01-01T00:00:00Z',
      platforms: [{ os: 'linux', cid, size: 1, programs: ['hello'] }],
    },
  ],
}
const environment = {
  format: 1,
  packages: [
    {
      name: 'hello',
      version: '1.0.0',
      cid,
      requested: 'hello@1',
      priority: 0,
      registry: 'main',
      programs: ['hello'],
    },
  ],
}
const move = { time: '2026-01-01T00:00:00Z', from: null, to: 1, action: 'install' }
const settings = { 'mount.cacheBytes': 1024, 'gc.batch': 1 }
const autoRecord = { format: 1, cid, mounts: [{ point: '/home', type: 'ext4', source: '/dev/x' }] }

/** The readers, in the order of the first byte of an input. */
const READERS: readonly ((bytes: Uint8Array) => string)[] = [
  (bytes) => {
    const found = refusing(() => parseManifest(bytes, 'a manifest', { unknown: 'ignore' }))
    if (isManifest(found)) {
      const again = parseManifest(encodeManifest(found), 'it', { unknown: 'ignore' })
      assert.deepEqual(encodeManifest(again), encodeManifest(found))
    }
    return isManifest(found) ? 'manifest' : found.code
  },
  (bytes) => {
    const found = refusing(() => parseManifest(bytes, 'a manifest'))
    return isManifest(found) ? 'strict manifest' : found.code
  },
  (bytes) => {
    const found = refusing(() => decodeRecord(bytes, 'hello'))
    if ('code' in found) return found.code
    assert.deepEqual(encodeRecord(decodeRecord(encodeRecord(found), 'hello')), encodeRecord(found))
    const { version, platforms: builds } = found.versions[0] ?? { version: '1.0.0', platforms: [] }
    refusing(() => mergePublication(found, { name: 'hello', version, published: '', builds }))
    return 'record'
  },
  (bytes) => {
    const found = refusing(() => decodeInstalled(bytes, 'environment.json'))
    if (!Array.isArray(found)) return found.code
    assert.deepEqual(encodeInstalled(decodeInstalled(encodeInstalled(found), 'it')), encodeInstalled(found))
    return `environment ${Math.min(found.length, 2)}`
  },
  (bytes) => {
    writeFileSync(file, bytes)
    const found = refusing(() => readConfig({ config: file }))
    return 'code' in found ? String(found.code) : 'settings'
  },
  (bytes) => {
    writeFileSync(file, bytes)
    const moves = readMoves(file)
    for (const current of [undefined, 1, 2]) wayBack(movesThatHappened(moves, current))
    return `moves ${Math.min(moves.length, 3)}`
  },
  (bytes) => {
    writeFileSync(`${file}.json`, bytes)
    return readRecord(file) === undefined ? 'no record' : 'auto record'
  },
]

const inputs = [manifest, manifest, record, environment, settings, move, autoRecord].map((value, reader) =>
  Buffer.concat([Uint8Array.of(reader), bytesOf(JSON.stringify(value))]),
)

export const target: Target = {
  name: 'json',
  seeds: [...inputs, ...[0, 1, 2, 3, 4, 5, 6].map((reader) => Buffer.from([reader, 0x5b, 0x5d]))],
  dictionary: [
    '"__proto__":{}',
    '"constructor":1',
    '"toString"',
    'null',
    'true',
    '[]',
    '{}',
    '1e999',
    '-1',
    '0.5',
    '-0',
    '1e21',
    '"\\u0000"',
    '"\\ud800"',
    '"../x"',
    '".."',
    '"."',
    '"a/b"',
    '"\\u001b[2J"',
    '"-rf"',
    '"1.0.0-x"',
    '"1.0.0+b"',
    '"99999999999999999999.0.0"',
    `"${'x'.repeat(300)}"`,
    '['.repeat(50),
    '{"a":'.repeat(50),
    ']'.repeat(50),
    '}'.repeat(50),
    '"format":2',
    '"format":1',
    `"${cid}"`,
    '\n',
    '"ﬀ"',
    '"İ"',
    '[[],[]]',
    ...[
      'name',
      'version',
      'programs',
      'platforms',
      'dependencies',
      'versions',
      'packages',
      'signature',
      'priority',
    ].map((word) => `"${word}":`),
  ].map(bytesOf),
  run: (input) => READERS[(input[0] ?? 0) % READERS.length]!(input.subarray(1)),
  mutate(input, random) {
    const text = mutateJson(Buffer.from(input.subarray(1)).toString(), random)
    return text === undefined ? undefined : Buffer.concat([input.subarray(0, 1), bytesOf(text)])
  },
  close: () => rmSync(scratch, { recursive: true, force: true }),
}

function isManifest(found: Manifest | { code: string }): found is Manifest {
  return 'programs' in found
}
