// Finds and deletes old generations (retention.ts says which). The profile's own
// lock is held for the moment of deleting, and what is current is read again
// under it, so that a switch at the same time never ends at a deleted link. A
// profile that is busy keeps its generations until the next collection: the
// collector waits for nobody (invariant 5).
//
// A profile outside the prefix is its owner's: its links are deleted only where
// the directory belongs to whoever made the auto pin, and through a descriptor of
// that directory, so that nobody can have us delete elsewhere by moving it.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { codeOf, hasCode, isErrno } from '../errors.ts'
import { withLock } from '../files/lock.ts'
import type { Store } from '../store/store.ts'
import { readLinks } from './links.ts'
import { type Generation, oldGenerations, type RetentionPolicy } from './retention.ts'
import type { Root } from './root.ts'
import { type AtPoint, pass } from './stop-point.ts'

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

/**
 * Deletes the links of old generations; when it returns, no crash brings one
 * back. Throws what reading a profile throws, but not BUSY and PERMISSION.
 */
export async function deleteOldGenerations(
  { paths }: Pick<Store, 'paths'>,
  policy: RetentionPolicy,
  at?: AtPoint,
): Promise<{ deleted: Generation[]; skipped: SkippedProfile[] }> {
  const deleted: Generation[] = []
  const skipped: SkippedProfile[] = []
  const old = findOldGenerations(readLinks(paths).roots, policy)
  await pass('generations-chosen', at)
  for (const profile of new Set(old.map((one) => one.profile))) {
    try {
      await withLock(
        join(profile, 'lock'),
        async (lost) => {
          const still = findOldGenerations(readLinks(paths).roots, policy)
          for (const generation of still.filter((one) => one.profile === profile)) {
            if (lost.aborted) return
            if (deleteLink(generation)) deleted.push(generation)
            await pass('generation-deleted', at)
          }
        },
        { waitMs: 0 },
      )
    } catch (error) {
      const code = hasCode(error, 'BUSY') ? 'BUSY' : codeOf(error)
      if (code !== 'BUSY' && code !== 'PERMISSION' && code !== 'READ_ONLY') throw error
      skipped.push({ profile, why: code === 'BUSY' ? 'BUSY' : 'PERMISSION' })
    }
  }
  return { deleted, skipped }
}

/** False when the link is not what it was, or its directory not its owner's. */
function deleteLink({ path, cid, autoPin }: Generation): boolean {
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    if (autoPin !== undefined && fstatSync(directory).uid !== lstatSync(autoPin).uid) return false
    const link = `/proc/self/fd/${directory}/${basename(path)}`
    if (basename(readlinkSync(link)) !== cid.toString()) return false
    unlinkSync(link)
    fsyncSync(directory)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return false
    throw error
  } finally {
    closeSync(directory)
  }
}
