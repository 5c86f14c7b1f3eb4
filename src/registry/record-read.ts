// Reading a record that somebody else wrote. Nothing in it is believed (invariant
// 7): a wrong shape, a name that is not the one asked for, a version that is no
// semver, a CID that does not parse are one clear error each.

import semver from 'semver'
import { PkgError } from '../errors.ts'
import { parseCid } from '../store/cid.ts'
import { type PackageRecord, type PlatformBuild, RECORD_FORMAT, type VersionRecord } from './record.ts'

/**
 * A record from its bytes; `name` is the package that it must be about.
 * Unknown keys are passed over, so that a later format may add some.
 * Throws BAD_REGISTRY naming the package and what is wrong with its record.
 */
export function decodeRecord(bytes: Uint8Array, name: string): PackageRecord {
  const check = new Check(`the record of ${JSON.stringify(name)}`)
  const record = check.object(parseJson(bytes, check), 'it')
  if (record.format !== RECORD_FORMAT) check.fail(`format ${JSON.stringify(record.format)} is not known here`)
  if (record.name !== name) check.fail(`it is about ${JSON.stringify(record.name)}`)
  return {
    format: RECORD_FORMAT,
    name,
    description: check.text(record.description ?? '', 'description'),
    ...optionalText(check, record, 'homepage', 'licence'),
    versions: check.list(record.versions, 'versions').map((value) => decodeVersion(check, value)),
  }
}

function decodeVersion(check: Check, value: unknown): VersionRecord {
  const { version, published, platforms } = check.object(value, 'a version')
  const text = check.text(version, 'version')
  if (semver.valid(text) === null) check.fail(`${JSON.stringify(text)} is not a semver version`)
  return {
    version: text,
    published: check.text(published ?? '', 'published'),
    platforms: check.list(platforms, 'platforms').map((one) => decodeBuild(check, one)),
  }
}

function decodeBuild(check: Check, value: unknown): PlatformBuild {
  const build = check.object(value, 'a platform')
  return {
    ...optionalText(check, build, 'os', 'arch', 'libc'),
    cid: check.cid(build.cid),
    size: check.size(build.size),
    programs: check.list(build.programs ?? [], 'programs').map((program) => check.text(program, 'a program')),
  }
}

function optionalText<K extends string>(
  check: Check,
  from: { [key: string]: unknown },
  ...keys: K[]
): Partial<{ [key in K]: string }> {
  const given = keys.filter((key) => from[key] !== undefined)
  return Object.fromEntries(given.map((key) => [key, check.text(from[key], key)])) as Partial<{
    [key in K]: string
  }>
}

function parseJson(bytes: Uint8Array, check: Check): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return check.fail('it is not JSON', error)
  }
}

/** Text in a record is shown to people: this is ample, and bounds what a hostile one can do. */
const MAX_TEXT = 4096

class Check {
  readonly #what: string

  constructor(what: string) {
    this.#what = what
  }

  fail(why: string, cause?: unknown): never {
    throw new PkgError('BAD_REGISTRY', `${this.#what} cannot be used: ${why}`, {
      hint: 'Its publisher has to mend it; `pkg registry update` fetches the mended one.',
      cause,
    })
  }

  object(value: unknown, what: string): { [key: string]: unknown } {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.fail(`${what} is not an object`)
    return value as { [key: string]: unknown }
  }

  list(value: unknown, what: string): unknown[] {
    return Array.isArray(value) ? value : this.fail(`${what} is not a list`)
  }

  text(value: unknown, what: string): string {
    if (typeof value !== 'string' || value.length > MAX_TEXT) this.fail(`${what} is not a short text`)
    return value as string
  }

  size(value: unknown): number {
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.fail('size is not a count of bytes')
  }

  cid(value: unknown): string {
    const text = this.text(value, 'cid')
    try {
      return parseCid(text).toString()
    } catch (error) {
      return this.fail(`${JSON.stringify(text)} is not a CID`, error)
    }
  }
}
