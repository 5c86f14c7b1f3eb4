// Install and upgrade: look up, protect, change the profile. Everything is under
// one add session, so that nothing goes between the look-up and the link.

import compareVersions from 'semver/functions/compare.js'
import { hasCode } from '../errors.ts'
import { changeProfile, type ProfileChange } from '../profiles/change.ts'
import type { InstalledPackage } from '../profiles/installed.ts'
import { requireInstalled, withPackages, withUpgrades } from '../profiles/operations.ts'
import { installedPackages, type Profile } from '../profiles/profile.ts'
import { type AddSession, withAdd } from '../store/add.ts'
import { type LookUpOptions, lookUp } from './look-up.ts'
import { upgradeSpec } from './upgrade-spec.ts'

export type InstallSpecsOptions = LookUpOptions & {
  /** find out what would change, and leave it */
  dryRun?: boolean | undefined
}

/**
 * Installs what the specs (see spec.ts) stand for as one new generation; none when
 * all of it is installed already. Without `priority` a package keeps the one it has.
 * Throws what `lookUp` and `changeProfile` throw; the profile then is what it was.
 */
export function installPackages(
  profile: Profile,
  specs: readonly string[],
  { dryRun, ...options }: InstallSpecsOptions = {},
): Promise<ProfileChange> {
  return withAdd(profile.store, async (add) => {
    const found = await lookUp(add, specs, options)
    const edit = (installed: readonly InstalledPackage[]) => {
      return withPackages(
        installed,
        options.priority === undefined ? keepPriorities(installed, found) : found,
      )
    }
    return changeProfile(profile, edit, { action: 'install', dryRun, signal: options.signal })
  })
}

/** A priority is a choice that somebody made: installing the package again does not undo it. */
function keepPriorities(
  installed: readonly InstalledPackage[],
  found: readonly InstalledPackage[],
): InstalledPackage[] {
  const before = new Map(installed.map(({ name, priority }) => [name, priority]))
  return found.map((one) => ({ ...one, priority: before.get(one.name) ?? one.priority }))
}

export type UpgradeOptions = Pick<InstallSpecsOptions, 'dryRun' | 'signal'> & {
  /** Told of a package that no registry has any more; without names it is passed over. */
  onPassedOver?: (installed: InstalledPackage, why: Error) => void
}

/**
 * Upgrades these packages, or all that were asked for by name, to the newest
 * version that the registries are known to have (`updateRegistry` first). An exact
 * version is where one started, and is left behind; a range is kept to; a CID or a
 * path stays. Never goes back. Throws NO_PACKAGE, and what `changeProfile` throws.
 */
export function upgradePackages(
  profile: Profile,
  names: readonly string[] = [],
  { dryRun, signal, onPassedOver }: UpgradeOptions = {},
): Promise<ProfileChange> {
  const installed = installedPackages(profile)
  requireInstalled(installed, names)
  const wanted = names.length === 0 ? installed : installed.filter(({ name }) => names.includes(name))
  return withAdd(profile.store, async (add) => {
    const newer: InstalledPackage[] = []
    for (const one of wanted) {
      try {
        newer.push(...(await newest(add, one, signal)))
      } catch (error) {
        if (names.length > 0 || !hasCode(error, 'NO_PACKAGE', 'NO_VERSION')) throw error
        onPassedOver?.(one, error)
      }
    }
    return changeProfile(profile, (now) => withUpgrades(now, newer), { action: 'upgrade', dryRun, signal })
  })
}

/** What there is for a package now, unless it is older. */
async function newest(
  add: AddSession,
  installed: InstalledPackage,
  signal: AbortSignal | undefined,
): Promise<InstalledPackage[]> {
  const spec = upgradeSpec(installed)
  if (spec === undefined) return []
  const found = await lookUp(add, [spec], { signal })
  return found.filter(({ version }) => compareVersions(version, installed.version) >= 0)
}
