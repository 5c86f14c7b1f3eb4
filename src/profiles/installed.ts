// What is installed: the packages of one environment, as environment.json in its root writes them down. Pure.
// The text is canonical and has no date in it, so the same set has the same CID on every machine.

import { PkgError } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { canonicalBytes } from '../packages/canonical-json.ts'
import schema from '../packages/manifest.schema.json' with { type: 'json' }
import type { Manifest } from '../packages/manifest.ts'
import { checkSchema, type Schema } from '../packages/schema-check.ts'
import { type CID, tryParseCid } from '../store/cid.ts'

export const ENVIRONMENT_FORMAT = 1

/** Where two packages provide the same path, the higher priority wins. */
export const DEFAULT_PRIORITY = 0

export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** the package's root, CIDv1 */
  readonly cid: CID
  /** what the user asked for, as typed: an upgrade looks it up again, and leaves an exact version behind */
  readonly requested: string
  readonly priority: number
  /** the registry that it was found in */
  readonly registry?: string
  /** that registry, where it was the only one to be asked: an upgrade asks no other either */
  readonly onlyFrom?: string
  /** the key that vouched for it */
  readonly signer?: string
  /** names in its bin/ */
  readonly programs: readonly string[]
}

export type InstallOptions = Partial<
  Pick<InstalledPackage, 'requested' | 'priority' | 'registry' | 'onlyFrom' | 'signer'>
>

/** The entry for a package that is to be installed. `requested` is name@version unless given. */
export function installedPackage(
  manifest: Manifest,
  cid: CID,
  options: InstallOptions = {},
): InstalledPackage {
  const { name, version, programs } = manifest
  const {
    requested = `${name}@${version}`,
    priority = DEFAULT_PRIORITY,
    registry,
    onlyFrom,
    signer,
  } = options
  return {
    name,
    version,
    cid: cid.toV1(),
    requested,
    priority,
    ...(registry === undefined ? {} : { registry }),
    ...(onlyFrom === undefined ? {} : { onlyFrom }),
    ...(signer === undefined ? {} : { signer }),
    programs: [...programs],
  }
}

/** The bytes of environment.json. The order of `packages` makes no difference. */
export function encodeInstalled(packages: readonly InstalledPackage[]): Uint8Array {
  const listed = sortByName(packages).map((one) => ({
    ...one,
    cid: one.cid.toV1().toString(),
    programs: [...one.programs].sort(),
  }))
  return canonicalBytes({ format: ENVIRONMENT_FORMAT, packages: listed })
}

/** Reads environment.json, sorted by name. Throws BAD_NODE naming `where`, UNSUPPORTED for a later format. */
export function decodeInstalled(bytes: Uint8Array, where: string): InstalledPackage[] {
  let value: unknown
  try {
    value = parseJson(bytes)
  } catch (cause) {
    throw new PkgError('BAD_NODE', `${where} is not JSON`, { cause })
  }
  const format = (value as { format?: unknown } | null)?.format
  if (typeof format === 'number' && format > ENVIRONMENT_FORMAT) {
    throw new PkgError(
      'UNSUPPORTED',
      `${where} has format ${format}; this version knows ${ENVIRONMENT_FORMAT}`,
      {
        hint: 'A newer version of pkg made it: update pkg.',
      },
    )
  }
  const [problem] = checkSchema(ENVIRONMENT_SCHEMA, value, { unknown: 'ignore' })
  if (problem !== undefined)
    throw new PkgError('BAD_NODE', `${where} is not an environment's list: ${problem}`)
  return sortByName((value as { packages: StoredPackage[] }).packages.map((stored) => revive(stored, where)))
}

/** `packages` by name, in an order that no locale changes. */
export function sortByName<T extends { readonly name: string }>(packages: readonly T[]): T[] {
  return [...packages].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

type StoredPackage = Omit<InstalledPackage, 'cid'> & { cid: string }

function revive(
  { name, version, cid, requested, priority, registry, onlyFrom, signer, programs }: StoredPackage,
  where: string,
) {
  const parsed = tryParseCid(cid)
  if (!parsed) throw new PkgError('BAD_NODE', `${where}: ${cid} is not a CID`)
  return {
    name,
    version,
    cid: parsed.toV1(),
    requested,
    priority,
    ...(registry === undefined ? {} : { registry }),
    ...(onlyFrom === undefined ? {} : { onlyFrom }),
    ...(signer === undefined ? {} : { signer }),
    programs,
  }
}

const text: Schema = { type: 'string', maxLength: 4096 }

/** The shape of environment.json; names and versions are what they are in a manifest. */
const ENVIRONMENT_SCHEMA: Schema = {
  type: 'object',
  required: ['format', 'packages'],
  properties: {
    format: { const: ENVIRONMENT_FORMAT },
    packages: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'version', 'cid', 'requested', 'priority', 'programs'],
        properties: {
          name: { $ref: '#/$defs/name' },
          version: { $ref: '#/$defs/version' },
          cid: text,
          requested: text,
          priority: { type: 'number' },
          registry: text,
          onlyFrom: text,
          signer: text,
          programs: { type: 'array', items: { $ref: '#/$defs/entryName' } },
        },
      },
    },
  },
  $defs: schema.$defs,
}
