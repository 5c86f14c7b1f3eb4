// The packages of a generation, as its environment has them.

import { join } from 'node:path'
import { PkgError } from '../errors.ts'
import { resolveLink, storeSpellings } from '../pins/resolve-link.ts'
import { ENVIRONMENT_HINT, isLoss } from './damaged.ts'
import { readEnvironment } from './environment.ts'
import type { InstalledPackage } from './installed.ts'
import {
  currentGeneration,
  type Generation,
  type Profile,
  type ProfileStore,
  readCurrent,
  requireProfile,
} from './profile.ts'

/** The packages in force, by name; none before the first generation. Throws as `generations` does, and as `readEnvironment`. */
export function installedPackages(profile: Profile<ProfileStore>): InstalledPackage[] {
  requireProfile(profile)
  return currentPackages(profile)?.installed ?? []
}

/** The generation in force and its packages; undefined before the first. Throws as `currentGeneration`, and as `readEnvironment`. */
export function currentPackages(
  profile: Profile<ProfileStore>,
): { generation: Generation; installed: InstalledPackage[] } | undefined {
  return readCurrent(profile, () => {
    const generation = currentGeneration(profile)
    return generation && { generation, installed: readInstalled(profile, generation) }
  })
}

/** The packages of a generation. Throws as `readEnvironment`, naming the generation. */
export function readInstalled(
  { store, dir, generationsDir }: Pick<Profile<ProfileStore>, 'store' | 'dir' | 'generationsDir'>,
  { number, cid }: Pick<Generation, 'number' | 'cid'>,
): InstalledPackage[] {
  try {
    return readEnvironment(store.blocks, cid)
  } catch (cause) {
    if (!isLoss(cause)) throw cause
    const link = join(generationsDir, String(number))
    if (resolveLink(link, storeSpellings(store.paths)).state !== 'store') {
      throw new PkgError(cause.code, `${link} does not lead into ${store.paths.store}`, {
        hint: 'The profile was made for another prefix: set PKG_PREFIX to that one.',
        cause,
      })
    }
    throw new PkgError(cause.code, `generation ${number} of ${dir} is damaged: ${cause.message}`, {
      hint: ENVIRONMENT_HINT,
      cause,
    })
  }
}
