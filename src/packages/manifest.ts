// The manifest of a package: its type, its check, its text. Pure. The rules stand in manifest.schema.json,
// which is published; what a schema cannot say is checked here. Strict where a package is made, lenient where
// one is read: a package that a later version made must not become unreadable for one more member.

import { PkgError } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { tryParseCid } from '../store/cid.ts'
import { canonicalBytes } from './canonical-json.ts'
import schema from './manifest.schema.json' with { type: 'json' }
import { type CheckOptions, checkSchema } from './schema-check.ts'

export const MANIFEST_FORMAT = 1

/** Where a package's own records lie: nothing below it enters an environment. */
export const PACKAGE_DIRECTORY = '.pkg'
export const MANIFEST_PATH = `${PACKAGE_DIRECTORY}/manifest.json`
export const DEPENDENCIES_PATH = `${PACKAGE_DIRECTORY}/dependencies`

/** The longest manifest that is read, in bytes: two hundred times what one with all members takes. */
export const MAX_MANIFEST_BYTES = 1024 * 1024

export interface ManifestPlatform {
  os: string
  arch: string
  libc?: string
}

export interface Dependency {
  name: string
  version?: string
  /** the root CID of a package */
  cid: string
}

export interface Manifest {
  format: typeof MANIFEST_FORMAT
  name: string
  /** semver */
  version: string
  description?: string
  /** an SPDX expression */
  licence?: string
  homepage?: string
  /** absent: it runs anywhere */
  platforms?: ManifestPlatform[]
  /** names in bin/ */
  programs: string[]
  dependencies?: Dependency[]
  maintainer?: { name?: string; email?: string; key?: string }
  /** room for what signs a package */
  signature?: Record<string, unknown>
  /** room for steps at installation */
  hooks?: Record<string, unknown>
  /** room for the places that hold the package's own store path */
  selfReferences?: unknown[]
}

/**
 * Gives `value` back as a Manifest. Throws BAD_MANIFEST naming `where` and all that is wrong; UNSUPPORTED for a
 * later format. `unknown: 'ignore'` is for reading what others made.
 */
export function validateManifest(value: unknown, where: string, options: CheckOptions = {}): Manifest {
  const format = (value as { format?: unknown } | null)?.format
  if (typeof format === 'number' && format > MANIFEST_FORMAT) {
    throw new PkgError(
      'UNSUPPORTED',
      `${where} has format ${format}; this version knows ${MANIFEST_FORMAT}`,
      {
        hint: 'A newer version of pkg made it: update pkg.',
      },
    )
  }
  const problems = problemsOf(value, options)
  if (problems.length === 0) return value as Manifest
  throw new PkgError('BAD_MANIFEST', `${where} is not a manifest: ${listed(problems)}`, {
    hint: 'The least there is: {"format": 1, "name": "hello", "version": "1.0.0", "programs": ["hello"]}',
  })
}

/** The manifest that options describe. Throws BAD_MANIFEST naming what of them it cannot hold: there is no file to mend. */
export function validateMade(made: Pick<Manifest, 'name' | 'version'>): Manifest {
  // Without what is undefined.
  const value = JSON.parse(JSON.stringify(made))
  const problems = problemsOf(value)
  if (problems.length === 0) return value as Manifest
  const bare = made.version.replace(/^[vV=]+/, '')
  const isPrefixed = bare !== made.version && /^\d+\.\d+\.\d+/.test(bare)
  throw new PkgError('BAD_MANIFEST', `the package cannot be made so: ${listed(problems)}`, {
    hint: isPrefixed
      ? `A version begins with its number: --as ${made.name}@${bare}`
      : 'For example: --as hello@1.0.0',
  })
}

/** Parses and checks the bytes of a manifest; errors as in {@link validateManifest}. */
export function parseManifest(bytes: Uint8Array, where: string, options: CheckOptions = {}): Manifest {
  let value: unknown
  try {
    value = parseJson(bytes)
  } catch (cause) {
    throw new PkgError('BAD_MANIFEST', `${where} is not JSON: ${(cause as Error).message}`, { cause })
  }
  return validateManifest(value, where, options)
}

/** The bytes of a manifest that we make: canonical, so that the same package has the same CID everywhere. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return canonicalBytes({ ...manifest, programs: [...manifest.programs].sort() })
}

/** Splits `name@version` as `--as` takes it. Throws USAGE for any other form; the parts are checked with the manifest. */
export function parseNameVersion(text: string): { name: string; version: string } {
  const at = text.indexOf('@', 1)
  const name = text.slice(0, at)
  const version = text.slice(at + 1)
  if (at !== -1 && version !== '') {
    if (/^\d+(\.\d+)?$/.test(version)) {
      throw new PkgError('USAGE', `${JSON.stringify(version)} in --as ${text} is not a version`, {
        hint: `It has three numbers: --as ${name}@${version}${version.includes('.') ? '.0' : '.0.0'}`,
      })
    }
    return { name, version }
  }
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not name@version`, {
    hint: 'For example: --as hello@1.0.0',
  })
}

function problemsOf(value: unknown, options: CheckOptions = {}): string[] {
  const problems = checkSchema(schema, value, options)
  return problems.length > 0 ? problems : beyondTheSchema(value as Manifest)
}

function beyondTheSchema(manifest: Manifest): string[] {
  const problems: string[] = []
  // `pkg install <word>` takes a word that parses as a CID for one.
  if (tryParseCid(manifest.name)) problems.push(`name: ${manifest.name} is a CID`)
  const names = new Set<string>()
  for (const [index, { name, cid }] of (manifest.dependencies ?? []).entries()) {
    if (!tryParseCid(cid)) problems.push(`dependencies[${index}].cid: ${cid} is not a CID`)
    if (names.has(name)) problems.push(`dependencies[${index}].name: ${name} is there twice`)
    names.add(name)
  }
  return problems
}

/** More problems than this in one message help nobody. */
const LISTED_PROBLEMS = 5

function listed(problems: string[]): string {
  const more = problems.length - LISTED_PROBLEMS
  return problems.slice(0, LISTED_PROBLEMS).join('; ') + (more > 0 ? `; and ${more} more` : '')
}
