// Finds and deletes old generations (retention.ts says which). The profile's own
// lock is held for the moment of deleting, and what is current is read again
// under it, so that a switch at the same time never ends at a deleted link. A
// profile that is busy keeps its generations until the next collection: the
// collector waits for nobody (invariant 5).
//
// A profile is its owner's, who may be somebody else than who collects: the lock is
// taken, and links are deleted, only where the directory belongs to that user, and
// through its descriptor, so that nobody can have us work elsewhere by moving it.

import { lstatSync } from 'node:fs'
import { basename, join } from 'node:path'
import { codeOf, hasCode } from '../errors.ts'
import { fsyncDirectory, readLinkOrUndefined } from '../files/atomic.ts'
import { withLock } from '../files/lock.ts'
import { withOwned, withOwnedAsync } from '../files/owned-directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { findHungMounts } from '../pins/hung-mounts.ts'
import { readLinks } from '../pins/links.ts'
import { isOnAny, mountsToAvoid, readMounts } from '../pins/mount-table.ts'
import { ownerOf } from '../pins/owners.ts'
import { removeLink } from '../pins/pins.ts'
import type { Root } from '../pins/root.ts'
import { type AtPoint, pass } from '../pins/stop-point.ts'
import type { Store } from '../store/store.ts'
import {
  type Generation,
  type KeptGeneration,
  keptBeyond,
  oldGenerations,
  type RetentionPolicy,
} from './retention.ts'

/** Old generations that stay for now: another process works on the profile, or we may not delete there. */
export type SkippedProfile = { profile: string; why: 'BUSY' | 'PERMISSION' }

/** The generations among these roots. */
export function generationsOf(roots: readonly Root[]): Generation[] {
  const named = new Set(roots.flatMap((root) => root.via.slice(1)))
  return roots.flatMap(({ profile, number, path, cid, current = false, autoPin }): Generation[] => {
    const stats = profile && number ? lstatSync(path, { throwIfNoEntry: false }) : undefined
    if (profile === undefined || number === undefined || stats === undefined) return []
    const created = stats.mtime
    return [
      { profile, number, path, cid, created, current, named: named.has(path), ...(autoPin && { autoPin }) },
    ]
  })
}

/** What `deleteOldGenerations` would delete. */
export function findOldGenerations(roots: readonly Root[], policy: RetentionPolicy): Generation[] {
  return oldGenerations(generationsOf(roots), policy)
}

export type DeleteOptions = {
  /** only this one's generations */
  user?: string | undefined
  at?: AtPoint | undefined
  /** told of each when its link is gone */
  onGeneration?: ((generation: Generation) => void) | undefined
}

/**
 * Deletes the links of old generations; when it returns, no crash brings one
 * back. Throws what reading a profile throws, but not BUSY and PERMISSION.
 */
export async function deleteOldGenerations(
  { paths }: Pick<Store, 'paths'>,
  policy: RetentionPolicy,
  { user, at, onGeneration }: DeleteOptions = {},
): Promise<{ deleted: Generation[]; kept: KeptGeneration[]; skipped: SkippedProfile[] }> {
  const deleted: Generation[] = []
  const skipped: SkippedProfile[] = []
  const its = () => {
    const { roots } = readLinks(paths, { user })
    return generationsOf(user === undefined ? roots : roots.filter((root) => root.user === user))
  }
  const findOld = () => oldGenerations(its(), policy)
  await findHungMounts(paths)
  const old = findOld()
  await pass('generations-chosen', at)
  for (const profile of new Set(old.map((one) => one.profile))) {
    const owner = ownerOfProfile(paths, old.find((one) => one.profile === profile) as Generation)
    const deleteHere = (directory: string) =>
      withLock(
        join(directory, 'lock'),
        async (lost) => {
          for (const generation of findOld().filter((one) => one.profile === profile)) {
            if (lost.aborted) return
            if (deleteLink(directory, generation, owner as number)) {
              deleted.push(generation)
              onGeneration?.(generation)
            }
            await pass('generation-deleted', at)
          }
        },
        { waitMs: 0 },
      )
    try {
      const done =
        owner !== undefined &&
        (await withOwnedAsync(profile, owner, async (path) => deleteHere(path).then(() => true)))
      if (!done) skipped.push({ profile, why: 'PERMISSION' })
    } catch (error) {
      const code = hasCode(error, 'BUSY') ? 'BUSY' : codeOf(error)
      if (code !== 'BUSY' && code !== 'PERMISSION' && code !== 'READ_ONLY') throw error
      skipped.push({ profile, why: code === 'BUSY' ? 'BUSY' : 'PERMISSION' })
    }
  }
  return { deleted, kept: keptBeyond(its(), policy), skipped }
}

/** The user in whose directories the profile is, or is kept alive from. */
function ownerOfProfile(
  paths: Pick<PrefixPaths, 'pinsPerUser' | 'profilesPerUser'>,
  { profile, autoPin }: Generation,
): number | undefined {
  if (isOnAny(mountsToAvoid(readMounts()), profile)) return undefined
  return ownerOf(paths, autoPin ?? join(profile, 'generations'))
}

/** False when the link is not what it was, or its directory not its owner's. */
function deleteLink(profile: string, { path, cid }: Generation, owner: number): boolean {
  const done = withOwned(join(profile, 'generations'), owner, (directory) => {
    const link = join(directory, basename(path))
    if (basename(readLinkOrUndefined(link) ?? '') !== cid.toString()) return false
    const was = removeLink(link)
    fsyncDirectory(directory)
    return was
  })
  return done ?? false
}
