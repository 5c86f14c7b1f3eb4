// Which version, and which build of it, a request stands for. Pure: no store, no clock.

import semver from 'semver'
import { PkgError } from '../errors.ts'
import { type Platform, platformText } from '../packages/platform.ts'
import { compareVersions } from '../packages/version.ts'
import { chooseBuild } from '../registry/newest.ts'
import {
  type PackageRecord,
  type PlatformBuild,
  platformKey,
  type VersionRecord,
} from '../registry/record.ts'

/** One whole version with build metadata: `1.2.3+4`, `=1.2.3+4`, `v1.2.3-rc.1+4`. */
const WITH_BUILD = /^\s*=?\s*v?(\d+\.\d+\.\d+[^\s+]*\+\S+)\s*$/

export type Choice = { version: string; build: PlatformBuild }

/**
 * The highest version in `range` that has a build for `platform`. `range` is a
 * version, a semver range ("0.24" is 0.24.x), or absent or "latest" for any.
 * A prerelease is taken only when asked for: by its own version, or by a range
 * that names a prerelease of the same version. A version stands for its newest build (`1.15.0` for
 * `1.15.0+2`), one with build metadata for itself.
 * Throws USAGE for what is no range; NO_VERSION listing what there is.
 */
export function chooseVersion(record: PackageRecord, range: string | undefined, platform: Platform): Choice {
  const wanted = range === undefined || range === 'latest' ? '*' : range
  if (semver.validRange(wanted) === null) {
    throw new PkgError('USAGE', `${JSON.stringify(wanted)} is not a version or a range of versions`, {
      hint: `For example: ${record.name}@1.2.3, ${record.name}@1.2, ${record.name}@^1.2`,
    })
  }
  const inRange = record.versions.filter(({ version }) => isIn(version, wanted))
  inRange.sort((a, b) => compareVersions(b.version, a.version))
  for (const { version, platforms } of inRange) {
    const build = chooseBuild(platforms, platform)
    if (build) return { version, build }
  }
  throw inRange.length === 0
    ? noVersion(record, wanted)
    : noBuild(`${record.name}@${wanted === '*' ? inRange[0]?.version : wanted}`, inRange, platform)
}

/** A version, or a range of them; ranges know no builds. */
export function isIn(version: string, range: string): boolean {
  const [, exact] = WITH_BUILD.exec(range) ?? []
  return exact === undefined ? semver.satisfies(version, range) : version === exact
}

/** An error lists this many versions, newest first. */
const LISTED = 10

function noVersion(record: PackageRecord, wanted: string): PkgError {
  const versions = record.versions.map(({ version }) => version).sort((a, b) => compareVersions(b, a))
  const more = versions.length > LISTED ? ` and ${versions.length - LISTED} older` : ''
  const onlyPrereleases = versions.length > 0 && versions.every((version) => semver.prerelease(version))
  const range =
    wanted === '*'
      ? `${record.name} has no released version`
      : `no version of ${record.name} matches ${wanted}`
  return new PkgError(
    'NO_VERSION',
    `${range}; there is: ${versions.slice(0, LISTED).join(', ') || 'none'}${more}`,
    {
      hint: onlyPrereleases
        ? `Ask for a prerelease by its version: ${record.name}@${versions[0]}`
        : undefined,
    },
  )
}

function noBuild(what: string, versions: VersionRecord[], platform: Platform): PkgError {
  const there = new Set(versions.flatMap(({ platforms }) => platforms.map(platformKey)))
  return new PkgError('NO_VERSION', `${what} has no build for ${platformText(platform)}`, {
    hint: `It is there for: ${[...there].sort().join(', ') || 'nothing'}.`,
  })
}
