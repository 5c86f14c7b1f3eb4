// Install: look up, protect, change the profile. Everything is under one add
// session, so that nothing goes between the look-up and the link.

import { changeProfile, type ProfileChange } from '../profiles/change.ts'
import type { InstalledPackage } from '../profiles/installed.ts'
import { withPackages } from '../profiles/operations.ts'
import type { Profile } from '../profiles/profile.ts'
import { withAdd } from '../store/add/add.ts'
import { type LookUpOptions, lookUp } from './look-up.ts'

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
