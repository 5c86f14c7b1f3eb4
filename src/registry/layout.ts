// Where a registry's DAG keeps things:
//   registry.json                 {"format":1,"name":…}
//   packages/<shard>/<name>.json  one record a package
// 256 shards: with 100,000 packages a shard's node is some 30 KiB, so that a new
// version rewrites four small blocks; from about a million packages on a shard
// becomes a HAMT by itself (the import format decides).

import { createHash } from 'node:crypto'
import { PkgError } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { canonicalBytes } from '../packages/canonical-json.ts'
import { checkName } from '../paths.ts'

export const REGISTRY_FORMAT = 1
export const REGISTRY_FILE = 'registry.json'
export const PACKAGES = 'packages'

/** The longest header that is read, in bytes: it holds a format and a name of at most 255. */
export const MAX_HEADER_BYTES = 16 * 1024
const SUFFIX = '.json'

/** The shard of a package: the first two hex digits of the SHA2-256 of its name. */
export function shardOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 2)
}

/** The path of a package's record. Throws BAD_NAME for what cannot be a file's name. */
export function recordPath(name: string): string {
  return `${PACKAGES}/${shardOf(name)}/${checkName(`${name}${SUFFIX}`, 'package record')}`
}

/** The package whose record has this file name; undefined for any other file. */
export function packageOfFile(file: string): string | undefined {
  return file.endsWith(SUFFIX) && file.length > SUFFIX.length ? file.slice(0, -SUFFIX.length) : undefined
}

export type RegistryHeader = { format: typeof REGISTRY_FORMAT; name: string }

export function encodeHeader(name: string): Uint8Array {
  return canonicalBytes({ format: REGISTRY_FORMAT, name } satisfies RegistryHeader)
}

/** Throws BAD_REGISTRY, naming `where`, for anything but a header of this format. */
export function decodeHeader(bytes: Uint8Array, where: string): RegistryHeader {
  let header: Partial<RegistryHeader> | null = null
  try {
    header = parseJson(bytes) as Partial<RegistryHeader> | null
  } catch (cause) {
    throw new PkgError('BAD_REGISTRY', `${where} is not a registry: its ${REGISTRY_FILE} is not JSON`, {
      cause,
    })
  }
  if (header?.format !== REGISTRY_FORMAT || typeof header.name !== 'string') {
    throw new PkgError('BAD_REGISTRY', `${where} is not a registry of format ${REGISTRY_FORMAT}`, {
      hint: 'A newer pkg may know it.',
    })
  }
  return { format: header.format, name: header.name }
}
