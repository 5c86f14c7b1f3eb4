// Mends checkouts: what is wrong in a tree is made anew from its blocks and renamed
// into its place, entry by entry. So a reader sees the damaged file or the right one,
// programs that run keep the inode they have, and one that is killed here leaves at
// most a directory that can be written, which the next look mends.

import { chmodSync, lstatSync, lutimesSync, renameSync, symlinkSync } from 'node:fs'
import { codeOf } from '../../errors.ts'
import { syncFilesystem } from '../../files/barrier.ts'
import type { CID } from '../cid.ts'
import { copyTree, sealEntry } from '../unixfs/copy.ts'
import { statOf } from '../unixfs/stat.ts'
import { type CheckoutStore, checkOut, missingCheckouts, sealedCopy } from './check-out.ts'
import { renewLinks } from './links.ts'
import { checkoutName, checkoutPath, deadTree, temporaryTree } from './names.ts'
import { withOpenParent } from './open-parent.ts'
import { FilePool } from './pool.ts'
import { removeTree } from './remove-tree.ts'
import { decodeUnixfs, siblingsOf } from './siblings.ts'
import { listCheckouts, type TreeDamage, type VerifyTreesOptions, verifyCheckout } from './verify.ts'

const DIRECTORY_MODE = 0o555

export type VerifiedTrees = {
  /** checkouts that were looked at, and their entries */
  trees: number
  entries: number
  damaged: (Pick<TreeDamage, 'cid' | 'path' | 'why'> & { repaired: boolean })[]
}

/**
 * Holds every checkout against its DAG, and with `repair` mends what differs. The
 * caller knows that nothing is mounted on `store`. What cannot be mended (no right
 * to write, no room, blocks that are gone) is reported as it is.
 */
export async function verifyCheckouts(
  store: CheckoutStore,
  { repair = true, signal, onProgress }: VerifyTreesOptions & { repair?: boolean } = {},
): Promise<VerifiedTrees> {
  const result: VerifiedTrees = { trees: 0, entries: 0, damaged: [] }
  const onEntry = () => {
    result.entries += 1
    onProgress?.(result)
  }
  if (repair) await renewLinks(store)
  for (const cid of listCheckouts(store)) {
    const found: TreeDamage[] = []
    for await (const damage of verifyCheckout(store, cid, { signal, onEntry })) found.push(damage)
    result.trees += 1
    const repaired = repair && found.length > 0 ? await repairCheckout(store, cid, found) : new Set()
    for (const damage of found) {
      const { path, why } = damage
      result.damaged.push({ cid, path, why, repaired: repaired.has(damage) })
    }
  }
  return result
}

/**
 * Adds to what was found the checkouts that these DAGs need and that are not there;
 * with `repair` they are made. What cannot be is reported as it is; what blocks are
 * missing of is left out: that damage has other witnesses. Links protect the DAGs.
 */
export async function addMissingCheckouts(
  store: CheckoutStore,
  verified: VerifiedTrees,
  { cids, repair, signal }: { cids: readonly CID[]; repair: boolean; signal?: AbortSignal | undefined },
): Promise<VerifiedTrees> {
  const found = new Map<string, CID>()
  for (const cid of cids) {
    try {
      for (const missing of missingCheckouts(store, cid)) found.set(checkoutName(missing.cid), missing.cid)
    } catch (error) {
      if (!isExpected(error)) throw error
    }
  }
  const damaged = [...verified.damaged]
  // Packages come before what links to them.
  for (const cid of found.values()) {
    let repaired = repair
    try {
      if (repair) await checkOut(store, cid, { signal })
    } catch (error) {
      if (!isExpected(error)) throw error
      repaired = false
    }
    damaged.push({ cid, path: '', why: 'is missing', repaired })
  }
  return { ...verified, damaged }
}

/** Gives what was mended, on stable storage. */
async function repairCheckout(
  store: CheckoutStore,
  cid: CID,
  damages: readonly TreeDamage[],
): Promise<Set<TreeDamage>> {
  const done = new Set<TreeDamage>()
  const pool = new FilePool(store)
  const siblings = siblingsOf(store.blocks, cid)
  // Attributes last: mending an entry touches its directory.
  for (const damage of [...damages].sort((a, b) => Number(!!a.attributesOnly) - Number(!!b.attributesOnly))) {
    try {
      await repairEntry(store, damage, { pool, siblings })
      done.add(damage)
    } catch (error) {
      if (!isExpected(error)) throw error
    }
  }
  await syncFilesystem(store.paths.store)
  return done
}

const EXPECTED = ['PERMISSION', 'READ_ONLY', 'NO_SPACE', 'MISSING_BLOCK', 'CORRUPT_BLOCK', 'NOT_FOUND', 'IO']

function isExpected(error: unknown): boolean {
  return EXPECTED.includes(codeOf(error))
}

type RepairContext = { pool: FilePool; siblings: ReadonlyMap<string, CID> }

async function repairEntry(
  store: CheckoutStore,
  { cid, path, right, attributesOnly }: TreeDamage,
  { pool, siblings }: RepairContext,
): Promise<void> {
  const place = checkoutPath(store.paths, cid) + path
  if (attributesOnly && right !== undefined && 'cid' in right) {
    const node = decodeUnixfs(store.blocks, right.cid)
    if (node) sealEntry(place, statOf(node))
    return
  }
  const temporary = temporaryTree(store.paths)
  try {
    if (right !== undefined && 'link' in right) {
      symlinkSync(right.link, temporary)
      lutimesSync(temporary, 0, 0)
    } else if (right !== undefined) {
      await copyTree(store.blocks, right.cid, temporary, {
        sealed: sealedCopy(store.paths, pool, { siblings, at: path }),
      })
      await syncFilesystem(store.paths.store)
      pool.publish()
    }
    if (path === '') swap(temporary, place, store)
    else withOpenParent(place, () => swap(right && temporary, place, store))
  } finally {
    await removeTree(temporary)
  }
}

/** A directory is in the way of a rename, and one can only be renamed elsewhere while it can be written. */
function swap(temporary: string | undefined, place: string, store: CheckoutStore): void {
  const old = lstatSync(place, { throwIfNoEntry: false })
  const isDirectory = temporary !== undefined && lstatSync(temporary).isDirectory()
  if (old !== undefined && (temporary === undefined || isDirectory || old.isDirectory())) {
    if (old.isDirectory()) chmodSync(place, 0o755)
    renameSync(place, deadTree(store.paths))
  }
  if (temporary === undefined) return
  if (isDirectory) chmodSync(temporary, 0o755)
  renameSync(temporary, place)
  if (isDirectory) chmodSync(place, DIRECTORY_MODE)
}
