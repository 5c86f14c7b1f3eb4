// Removing packages from a profile: a generation without them; the one before
// stays, to go back to.

import { type ChangeOptions, changeProfile, type ProfileChange } from '../profiles/change.ts'
import { withoutPackages } from '../profiles/operations.ts'
import type { Profile } from '../profiles/profile.ts'

/** Throws NO_PACKAGE for a name that is not installed, and what `changeProfile` throws. */
export function removePackages(
  profile: Profile,
  names: readonly string[],
  options: Pick<ChangeOptions, 'dryRun' | 'signal'> = {},
): Promise<ProfileChange> {
  const edit = (installed: Parameters<typeof withoutPackages>[0]) => withoutPackages(installed, names)
  return changeProfile(profile, edit, { ...options, action: 'remove' })
}
