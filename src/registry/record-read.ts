// Reading a record that somebody else wrote. Nothing in it is believed (invariant
// 7): a wrong shape, a name that is not the one asked for, a version that is no
// semver, a CID that does not parse are one clear error each.

import { PkgError } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import manifestSchema from '../packages/manifest.schema.json' with { type: 'json' }
import { checkSchema, type Schema } from '../packages/schema-check.ts'
import { tryParseCid } from '../store/cid.ts'
import { type PackageRecord, RECORD_FORMAT } from './record.ts'

/** Names, versions and platforms are a manifest's; the rest is bounded, for it is shown to people. */
const SCHEMA: Schema = {
  $defs: {
    ...(manifestSchema.$defs as Readonly<Record<string, Schema>>),
    text: { type: 'string', maxLength: 2000, description: 'a short text' },
    build: {
      type: 'object',
      required: ['cid', 'size', 'programs'],
      properties: {
        os: { $ref: '#/$defs/platformWord' },
        arch: { $ref: '#/$defs/platformWord' },
        libc: { $ref: '#/$defs/platformWord' },
        cid: { type: 'string', maxLength: 200, description: "the CID of a package's root" },
        size: { type: 'number', description: 'a count of bytes' },
        programs: { type: 'array', maxItems: 10_000, items: { $ref: '#/$defs/entryName' } },
      },
    },
    versionRecord: {
      type: 'object',
      required: ['version', 'published', 'platforms'],
      properties: {
        version: { $ref: '#/$defs/version' },
        published: { $ref: '#/$defs/text' },
        platforms: { type: 'array', maxItems: 1000, items: { $ref: '#/$defs/build' } },
      },
    },
  },
  type: 'object',
  required: ['format', 'name', 'description', 'versions'],
  properties: {
    format: { const: RECORD_FORMAT, description: 'a format that is known here' },
    name: { $ref: '#/$defs/name' },
    description: { $ref: '#/$defs/text' },
    homepage: { $ref: '#/$defs/text' },
    licence: { $ref: '#/$defs/text' },
    versions: { type: 'array', items: { $ref: '#/$defs/versionRecord' } },
  },
}

/**
 * A record from its bytes; `name` is the package that it must be about. Members
 * that are not known are passed over: a later version of pkg may add some.
 * Throws BAD_REGISTRY naming the package and what is wrong with its record.
 */
export function decodeRecord(bytes: Uint8Array, name: string): PackageRecord {
  const value = parse(bytes, name)
  const problems = checkSchema(SCHEMA, value, { unknown: 'ignore' })
  if (problems.length > 0) throw badRecord(name, problems[0] as string)
  const record = value as PackageRecord
  if (record.name !== name) throw badRecord(name, `it is about ${JSON.stringify(record.name)}`)
  for (const { platforms } of record.versions) {
    for (const { cid, size } of platforms) {
      if (!tryParseCid(cid)) throw badRecord(name, `${JSON.stringify(cid)} is not a CID`)
      if (!Number.isSafeInteger(size) || size < 0) throw badRecord(name, `${size} is not a count of bytes`)
    }
  }
  return record
}

function parse(bytes: Uint8Array, name: string): unknown {
  try {
    return parseJson(bytes)
  } catch (cause) {
    throw badRecord(name, 'it is not JSON', cause)
  }
}

function badRecord(name: string, why: string, cause?: unknown): PkgError {
  return new PkgError('BAD_REGISTRY', `the record of ${JSON.stringify(name)} cannot be used: ${why}`, {
    hint: 'Its publisher has to mend it; `pkg registry update` fetches the mended one.',
    cause,
  })
}
