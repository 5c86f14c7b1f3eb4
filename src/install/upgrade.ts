// Upgrade: what was asked for is looked up again, and what is newer changes the
// profile. Under one add session, as an installation is.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, type ErrorCode, hasCode, PkgError } from '../errors.ts'
import { MANIFEST_PATH } from '../packages/manifest.ts'
import { compareVersions } from '../packages/version.ts'
import { changeProfile, type ProfileChange } from '../profiles/change.ts'
import type { InstalledPackage } from '../profiles/installed.ts'
import { requireInstalled, withUpgrades } from '../profiles/operations.ts'
import type { Profile } from '../profiles/profile.ts'
import { installedPackages } from '../profiles/read-installed.ts'
import { type AddSession, withAdd } from '../store/add/add.ts'
import type { InstallSpecsOptions } from './install.ts'
import { lookUp } from './look-up.ts'
import { parseSpec } from './spec.ts'
import { followPath } from './store-path.ts'
import { upgradeSpec } from './upgrade-spec.ts'

export type UpgradeOptions = Pick<
  InstallSpecsOptions,
  'dryRun' | 'signal' | 'onProgress' | 'onFault' | 'roots'
> & {
  /** Told of a package that was meant and stays as it is, and why. */
  onKept?: ((installed: InstalledPackage, why: string) => void) | undefined
}

/** Trouble of the machine, and no single package's: it ends the upgrade. */
const STOPS_ALL: readonly ErrorCode[] = ['INTERNAL', 'INTERRUPTED', 'NO_SPACE', 'IO', 'BUSY', 'READ_ONLY']

/**
 * Upgrades these packages, or all. By name to the newest version that the registries
 * are known to have (`updateRegistry` first; `roots` where that only looked), never
 * back: an exact version is where one started, and the bare name is what is asked for from then
 * on; a range is kept to, and so is the one registry that was asked for. A directory is packed anew and taken as it is now, unless it is gone. A CID stays.
 * What is wrong with one package stops the others only when it was named.
 * Throws NO_PACKAGE, and what `lookUp` and `changeProfile` throw.
 */
export function upgradePackages(
  profile: Profile,
  names: readonly string[] = [],
  { dryRun, onKept, ...options }: UpgradeOptions = {},
): Promise<ProfileChange> {
  const installed = installedPackages(profile)
  requireInstalled(installed, names)
  const wanted = names.length === 0 ? installed : installed.filter(({ name }) => names.includes(name))
  const { paths } = profile.store
  return withAdd(profile.store, async (add) => {
    const newer: InstalledPackage[] = []
    for (const one of wanted) {
      const spec = upgradeSpec(one, paths)
      if (spec === undefined) {
        if (names.length > 0) onKept?.(one, heldByCid(one))
        continue
      }
      try {
        newer.push(...(await newest(add, one, { ...options, spec })))
      } catch (error) {
        const stops = names.length > 0 && !hasCode(error, 'NOT_FOUND')
        if (stops || STOPS_ALL.includes(codeOf(error))) throw error
        onKept?.(one, (error as Error).message)
      }
    }
    const edit = (now: InstalledPackage[]) => withUpgrades(now, stillMeant(newer, installed, now))
    return changeProfile(profile, edit, { action: 'upgrade', dryRun, signal: options.signal })
  })
}

type NewestOptions = Pick<UpgradeOptions, 'signal' | 'onProgress' | 'onFault' | 'roots'> & { spec: string }

/** What `spec` stands for now, unless it is what is installed. Throws NOT_FOUND for a path that is gone. */
async function newest(
  add: AddSession,
  installed: InstalledPackage,
  { spec, ...options }: NewestOptions,
): Promise<InstalledPackage[]> {
  const isPath = parseSpec(spec).kind === 'path'
  const found = isPath
    ? await packAgain(add, installed, { spec, ...options })
    : await lookUp(add, [spec], { ...options, registry: installed.onlyFrom })
  return found.filter(({ cid, version }) => {
    if (cid.equals(installed.cid)) return false
    return isPath || compareVersions(version, installed.version) >= 0
  })
}

async function packAgain(
  add: AddSession,
  { name, version }: InstalledPackage,
  { spec, ...options }: NewestOptions,
): Promise<InstalledPackage[]> {
  const { blocks, paths } = add.store
  try {
    const place = followPath(blocks, paths, spec)
    // Without a manifest of its own it was named when it was installed.
    const nameless = 'file' in place && !existsSync(join(place.file, MANIFEST_PATH))
    const found = await lookUp(add, [spec], { ...options, as: nameless ? `${name}@${version}` : undefined })
    const other = found.find((one) => one.name !== name)
    if (other === undefined) return found
    throw new PkgError('NO_PACKAGE', `${spec} holds ${other.name} now`)
  } catch (cause) {
    if (!hasCode(cause, 'NOT_FOUND')) throw cause
    throw new PkgError('NOT_FOUND', `${spec} is gone`, { cause })
  }
}

function heldByCid({ name }: InstalledPackage): string {
  return `it is held by its CID; \`pkg install ${name}\` takes it from a registry`
}

/** What was asked for may have changed since it was looked up: that is newer than what was found. */
function stillMeant(
  newer: readonly InstalledPackage[],
  then: readonly InstalledPackage[],
  now: readonly InstalledPackage[],
): InstalledPackage[] {
  const asked = (packages: readonly InstalledPackage[], wanted: string) => {
    const one = packages.find(({ name }) => name === wanted)
    return JSON.stringify([one?.requested, one?.onlyFrom])
  }
  return newer.filter(({ name }) => asked(then, name) === asked(now, name))
}
