// What an upgrade would change, and what is newer but held back. Writes nothing that lasts.

import { hasCode } from '../errors.ts'
import { compareVersions } from '../packages/version.ts'
import type { InstalledPackage } from '../profiles/installed.ts'
import type { Profile } from '../profiles/profile.ts'
import { installedPackages } from '../profiles/read-installed.ts'
import { resolve } from './resolve.ts'
import { parseSpec } from './spec.ts'
import { type UpgradeOptions, upgradePackages } from './upgrade.ts'
import { heldAs } from './upgrade-spec.ts'

export type Outdated = Pick<InstalledPackage, 'name' | 'version' | 'requested' | 'registry'> & {
  /** what `upgrade` takes; undefined where it leaves the package as it is */
  upgrade: string | undefined
  /** the newest that there is for this machine; undefined for what no registry has */
  newest: string | undefined
  /** what holds it: a range, its CID */
  held: string | undefined
}

/** Of these packages, or all, those that are not the newest there is. Throws as `upgradePackages`. */
export async function findOutdated(
  profile: Profile,
  names: readonly string[] = [],
  options: Omit<UpgradeOptions, 'dryRun'> = {},
): Promise<Outdated[]> {
  const { changes } = await upgradePackages(profile, names, { ...options, dryRun: true })
  const meant = installedPackages(profile).filter(({ name }) => names.length === 0 || names.includes(name))
  const found: Outdated[] = []
  for (const one of meant) {
    const { name, version, requested, registry } = one
    const upgrade = changes.find((change) => change.name === name)?.after?.version
    const newest = await newestOf(profile, one, options)
    const isBehind = newest !== undefined && compareVersions(newest, version) > 0
    if (upgrade === undefined && !isBehind) continue
    found.push({
      name,
      version,
      upgrade,
      newest,
      held: heldAs(one, profile.store.paths),
      requested,
      registry,
    })
  }
  return found
}

/** Of what came from a directory, a registry may have another package of that name. */
async function newestOf(
  { store }: Profile,
  { name, requested, onlyFrom }: InstalledPackage,
  { roots }: Pick<UpgradeOptions, 'roots'>,
): Promise<string | undefined> {
  if (parseSpec(requested).kind === 'path') return undefined
  try {
    return (await resolve(store, name, { registry: onlyFrom, roots })).version
  } catch (error) {
    if (hasCode(error, 'NO_PACKAGE', 'NO_VERSION', 'BAD_REGISTRY', 'MISSING_BLOCK')) return undefined
    throw error
  }
}
