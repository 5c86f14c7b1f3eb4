// What install, remove and upgrade do to the list of installed packages. Pure: the change of a profile runs one
// of these on the list that it finds under the profile's lock, so that two changes at once both take effect.

import { PkgError } from '../errors.ts'
import { type InstalledPackage, sortByName } from './installed.ts'

/** The list with `added` in it; one of the same name gives way. */
export function withPackages(
  installed: readonly InstalledPackage[],
  added: readonly InstalledPackage[],
): InstalledPackage[] {
  const byName = new Map([...installed, ...added].map((one) => [one.name, one]))
  return sortByName([...byName.values()])
}

/** The list without the packages of these names. Throws NO_PACKAGE naming the first that is not installed. */
export function withoutPackages(
  installed: readonly InstalledPackage[],
  names: readonly string[],
): InstalledPackage[] {
  requireInstalled(installed, names)
  return installed.filter(({ name }) => !names.includes(name))
}

/**
 * The list with newer builds of packages that are still there: each keeps its priority, and is asked for from now
 * on as the upgrade says. One that was removed meanwhile stays removed.
 */
export function withUpgrades(
  installed: readonly InstalledPackage[],
  upgrades: readonly InstalledPackage[],
): InstalledPackage[] {
  const byName = new Map(upgrades.map((one) => [one.name, one]))
  return installed.map((before) => {
    const after = byName.get(before.name)
    return after === undefined ? before : { ...after, priority: before.priority }
  })
}

/** Throws NO_PACKAGE naming the first of `names` that is not installed, and what is. */
export function requireInstalled(installed: readonly InstalledPackage[], names: readonly string[]): void {
  const missing = names.find((name) => !installed.some((one) => one.name === name))
  if (missing === undefined) return
  const there = installed.map(({ name }) => name).join(', ')
  throw new PkgError('NO_PACKAGE', `${missing} is not installed`, {
    hint: there === '' ? 'Nothing is installed in this profile.' : `Installed are: ${there}`,
  })
}
