// Packages by their names as they are here already: installed, or pinned. What a registry
// knows of a name is not asked; so this needs none, and gives what the user has.

import { PkgError } from '../errors.ts'
import type { ManifestPlatform } from '../packages/manifest.ts'
import { readManifest } from '../packages/package.ts'
import { compareVersions } from '../packages/version.ts'
import { userName } from '../paths.ts'
import { listPins } from '../pins/pins.ts'
import { tryReadEnvironment } from '../profiles/environment.ts'
import {
  findCurrentGeneration,
  type Profile,
  type ProfileStore,
  requireProfile,
} from '../profiles/profile.ts'
import { platformKey } from '../registry/record.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { CID } from '../store/cid.ts'
import { isIn } from './choose.ts'
import type { Spec } from './spec.ts'

/** What a DAG is as a package: nothing, where it is none. */
export type Described = {
  version?: string
  /** where it runs, if not everywhere */
  platforms?: readonly ManifestPlatform[]
}

export type Here = Described & { name: string; cid: CID; installed: boolean }

type Name = Pick<Spec & { kind: 'name' }, 'name' | 'range'>

/**
 * What is here under this name, within the range: what is installed, else what is pinned, by
 * ascending versions, each DAG once. Of a damaged generation nothing counts as installed here.
 * Throws NO_PROFILE.
 */
export async function findHere(profile: Profile<ProfileStore>, { name, range }: Name): Promise<Here[]> {
  const fits = ({ version }: Pick<Here, 'version'>) => isMeant(version, range)
  const installed = installedHere(profile).filter((one) => one.name === name && fits(one))
  if (installed.length > 0) return installed
  const { blocks } = profile.store
  const pinned = (await listPins(profile.store, { user: userName() }))
    .filter(({ prog }) => prog === name)
    .map((pin): Here => ({ name, ...pinnedPackage(blocks, pin.cid), cid: pin.cid, installed: false }))
  const distinct = new Map(pinned.filter(fits).map((one) => [one.cid.toString(), one]))
  return [...distinct.values()].sort(byVersion)
}

/** The names of all that is here. */
export async function namesHere(profile: Profile<ProfileStore>): Promise<Set<string>> {
  const pins = await listPins(profile.store, { user: userName() })
  return new Set([...installedHere(profile).map(({ name }) => name), ...pins.map(({ prog }) => prog)])
}

/** What the package of a pin calls itself; nothing for what is no package, or cannot be read. */
export function pinnedPackage(blocks: BlockGetter, cid: CID): Described {
  try {
    const { version, platforms } = readManifest(blocks, cid)
    return { version, ...(platforms && { platforms }) }
  } catch (error) {
    if (error instanceof PkgError) return {}
    throw error
  }
}

/** `1.2.3`, `1.2.3 for linux-x64`: builds of one version are told apart by where they run. */
export function describeBuild({ version = '', platforms = [] }: Described): string {
  const where = platforms.map(platformKey).join(', ')
  return where === '' ? version : `${version} for ${where}`
}

/** True for any version where no range is named. `latest` is as good as none. */
export function isMeant(version: string | undefined, range: string | undefined): boolean {
  if (range === undefined || range === 'latest') return true
  return version !== undefined && (version === range || isIn(version, range))
}

function installedHere(profile: Profile<ProfileStore>): Here[] {
  requireProfile(profile)
  const current = findCurrentGeneration(profile)
  const packages = current && tryReadEnvironment(profile.store.blocks, current.cid)
  return (packages ?? []).map(({ name, version, cid }) => ({ name, version, cid, installed: true }))
}

/** Ascending; what has no version comes first. */
export function byVersion({ version: a }: Described, { version: b }: Described): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareVersions(a, b)
}
