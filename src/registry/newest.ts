// What of a package's record a machine would get when nothing special is asked for. Pure.

import semver from 'semver'
import { type Platform, platformFits } from '../packages/platform.ts'
import { compareVersions } from '../packages/version.ts'
import type { PlatformBuild, VersionRecord } from './record.ts'

/** The newest release, or the newest prerelease where there is no release; undefined without versions. */
export function newestVersion(versions: readonly Pick<VersionRecord, 'version'>[]): string | undefined {
  const all = versions.map(({ version }) => version).sort(compareVersions)
  return all.findLast((version) => semver.prerelease(version) === null) ?? all.at(-1)
}

/** The build that fits `platform` most closely; undefined when none runs there. */
export function chooseBuild(builds: PlatformBuild[], platform: Platform): PlatformBuild | undefined {
  const fitting = builds.filter((build) => platformFits(build, platform))
  return fitting.sort((a, b) => specificity(b) - specificity(a))[0]
}

/** A build made for this very platform wins over one that runs anywhere. */
function specificity({ os, arch, libc }: PlatformBuild): number {
  return [os, arch, libc].filter((one) => one !== undefined).length
}
