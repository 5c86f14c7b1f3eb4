// One package's record in a registry: name -> versions -> platforms -> CID.
// Canonical: the same content is the same bytes, whoever wrote it and in whatever
// order its versions were published; so the same registry is the same root CID.

import { PkgError } from '../errors.ts'
import { canonicalBytes } from '../packages/canonical-json.ts'
import type { ManifestPlatform } from '../packages/manifest.ts'
import { platformText } from '../packages/platform.ts'
import { compareVersions } from '../packages/version.ts'

/** The version of this format; a reader refuses any other. */
export const RECORD_FORMAT = 1

/** A build of one version. An absent os, arch or libc means that it runs with any. */
export type PlatformBuild = {
  os?: string
  arch?: string
  libc?: string
  /** the package's root CID, base32 */
  cid: string
  /** bytes of the package's whole DAG, each block once */
  size: number
  /** names in the package's bin/ */
  programs: string[]
}

export type VersionRecord = {
  /** semver */
  version: string
  /** when it was first published, ISO 8601, UTC */
  published: string
  platforms: PlatformBuild[]
}

export type PackageRecord = {
  format: typeof RECORD_FORMAT
  name: string
  description: string
  homepage?: string
  licence?: string
  /** ascending: see packages/version.ts */
  versions: VersionRecord[]
}

/** What one `publish` adds to a record. */
export type Publication = {
  name: string
  version: string
  published: string
  description?: string
  homepage?: string
  licence?: string
  builds: PlatformBuild[]
}

/**
 * The record after a publication. Publishing what is there already gives an equal
 * record (its first date stays). The descriptive fields are those of the highest
 * version, so that the order of publishing does not show.
 * Throws EXISTS when this version has another CID for the same platform, unless `replace`.
 */
export function mergePublication(
  record: PackageRecord | undefined,
  publication: Publication,
  { replace = false } = {},
): PackageRecord {
  const { name, version } = publication
  const before = record?.versions.find((one) => one.version === version)
  const builds = new Map(before?.platforms.map((build) => [platformKey(build), build]))
  for (const build of publication.builds) {
    const there = builds.get(platformKey(build))
    if (there && there.cid !== build.cid && !replace) {
      throw new PkgError('EXISTS', `${name}@${version} is published already, as ${there.cid}`, {
        hint: 'Publish it under a new version: users who have this one rely on what it holds.',
      })
    }
    builds.set(platformKey(build), build)
  }
  const others = record?.versions.filter((one) => one !== before) ?? []
  const versions = [
    ...others,
    { version, published: before?.published ?? publication.published, platforms: [...builds.values()] },
  ]
  const highest = versions.every((one) => compareVersions(one.version, version) <= 0)
  const described = highest || !record ? publication : record
  return canonicalRecord({
    format: RECORD_FORMAT,
    name,
    description: described.description ?? '',
    homepage: described.homepage,
    licence: described.licence,
    versions,
  })
}

/** The record without a version; undefined when none is left. */
export function withoutVersion(record: PackageRecord, version: string): PackageRecord | undefined {
  const versions = record.versions.filter((one) => one.version !== version)
  return versions.length === 0 ? undefined : { ...record, versions }
}

/** The bytes of a record: canonical JSON, its lists in one fixed order. */
export function encodeRecord(record: PackageRecord): Uint8Array {
  return canonicalBytes(canonicalRecord(record))
}

/** A build's platform in one word, as in "linux-x64-glibc"; "any" stands for what it leaves open. */
export function platformKey({ os = 'any', arch = 'any', libc }: Partial<ManifestPlatform>): string {
  return platformText(libc === undefined ? { os, arch } : { os, arch, libc })
}

function canonicalRecord(record: PackageRecord): PackageRecord {
  const versions = record.versions.map(canonicalVersion)
  return { ...record, versions: versions.sort((a, b) => compareVersions(a.version, b.version)) }
}

function canonicalVersion(version: VersionRecord): VersionRecord {
  const platforms = version.platforms.map((build) => ({
    ...build,
    programs: [...build.programs].sort(compareText),
  }))
  return { ...version, platforms: platforms.sort(compareBuilds) }
}

function compareBuilds(a: PlatformBuild, b: PlatformBuild): number {
  return compareText(platformKey(a), platformKey(b))
}

/** By code unit: the same on every machine, whatever its locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
