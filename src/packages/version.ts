// Versions: their one order, and what a distribution's version says in semver. Pure.

import compareBuild from 'semver/functions/compare-build.js'

/** Prereleases of programs begin with a word. */
const REVISED = /^(\d+\.\d+\.\d+)-(\d[^+]*)(?:\+(.*))?$/s

/**
 * The order of versions, everywhere: semver's precedence; at equal precedence a version
 * without build metadata comes first, then builds by their identifiers, numbers as
 * numbers. So `1.15.0` < `1.15.0+2` < `1.15.0+10`, and 0 is for one text only.
 */
export function compareVersions(a: string, b: string): number {
  return compareBuild(a, b) || (a < b ? -1 : a > b ? 1 : 0)
}

/**
 * The version as it is meant, where it has a distribution's revision (`1.15.0-2`, `5.36.0-7+deb12u4`):
 * semver takes that for a prerelease, older than `1.15.0`, and no range has it. Undefined for any other.
 */
export function withRevision(version: string): string | undefined {
  const [, release, revision, build] = REVISED.exec(version) ?? []
  if (release === undefined) return undefined
  return `${release}+${[revision, build].filter((part) => part !== undefined).join('.')}`
}
