// Checkouts and the collector: the tree of a CID that no root reaches goes.
//
// As with blocks, whoever needs a checkout protects its DAG first, and then looks
// whether the tree is there (store/checkout/check-out.ts). A collector renames dead
// trees away under `pins/lock`, after it has read what was claimed since; so whoever
// found a tree present keeps it, or does not find it. What is renamed away is
// removed without the lock, and by the next collection if this one is killed.
//
// Where a mount covers them trees are left alone: they cannot be seen.

import { lstatSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isErrno } from '../errors.ts'
import { syncFiles } from '../files/barrier.ts'
import { namesIn, removeIfThere } from '../files/directory.ts'
import { failpoint } from '../files/failpoint.ts'
import { withLock } from '../files/lock.ts'
import { stopwatch } from '../files/stopwatch.ts'
import type { PrefixPaths } from '../paths.ts'
import type { RootReader } from '../pins/roots.ts'
import type { ClaimsJournal } from '../store/add/claims.ts'
import { checkoutPath, deadTree, isRubbish, poolDirectory } from '../store/checkout/names.ts'
import { removeTree } from '../store/checkout/remove-tree.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { refuseDamage } from './damage.ts'
import {
  type CheckoutFigures,
  deadCheckouts,
  isCovered,
  NO_CHECKOUTS,
  sizeOfTrees,
} from './dead-checkouts.ts'
import type { Marker } from './mark.ts'
import { refuseUnreadable } from './plan.ts'

/** Renames for one taking of the lock: some ms. */
const RENAMES = 64
/** Nodes that are walked under the lock for a claim: some ms. */
const NODES_UNDER_LOCK = 500
/** Far below the 10 s after which a lock is taken over (sweep.ts). */
const TRUST_LOCK_MS = 3000
/** Files of the pool between two turns of the event loop. */
const FILES_A_TURN = 512

export type CheckoutContext = {
  reader: Pick<RootReader, 'links' | 'processes'>
  marker: Marker
  journal: Pick<ClaimsJournal, 'take'>
  /** where links were read: flushed before a tree goes that one of them led to */
  directories: readonly string[]
  despiteDamage: boolean
  /** the collector's own lock is gone */
  lost: AbortSignal
  signal?: AbortSignal | undefined
}

/**
 * Removes dead checkouts, what killed processes left of theirs, and files that no
 * checkout has any more. Killed at any instant it leaves whole trees, and rubbish
 * that the next run removes. Throws as `sweep` does.
 */
export async function collectCheckouts(store: Store, context: CheckoutContext): Promise<CheckoutFigures> {
  const { paths } = store
  const figures = { ...NO_CHECKOUTS }
  if (isCovered(paths)) return figures
  if (deadCheckouts(paths, context.marker).length > 0) {
    // Links by hand and programs claim nothing in the journal.
    const links = context.reader.links()
    refuseUnreadable(links.unreadable)
    for (const { cid } of [...links.roots, ...(await context.reader.processes()).roots])
      context.marker.add(cid)
    await walk(store, context)
    syncFiles(context.directories)
    const taken = await takeAway(store, deadCheckouts(paths, context.marker), context)
    figures.checkouts = taken.length
    const { bytes, diskBytes } = sizeOfTrees(paths, taken)
    figures.checkoutBytes = bytes
    figures.checkoutDiskBytes = diskBytes
  }
  await removeRubbish(paths)
  await prunePool(paths)
  return figures
}

/** Gives where the trees lie now. */
async function takeAway(store: Store, dead: readonly CID[], context: CheckoutContext): Promise<string[]> {
  const { marker, journal, lost, signal } = context
  const taken: string[] = []
  for (let next = 0; next < dead.length; ) {
    signal?.throwIfAborted()
    lost.throwIfAborted()
    const walked = await withLock(store.paths.pinsLock, (lock) => {
      const locked = stopwatch()
      const claims = journal.take()
      for (const key of claims?.blocks ?? []) marker.keep(key)
      for (const cid of claims?.dags ?? []) marker.add(cid)
      if (claims !== undefined) marker.retry((cid) => store.blocks.has(cid))
      const damaged = marker.damaged.length
      if (!marker.step(NODES_UNDER_LOCK) || (marker.damaged.length > damaged && !context.despiteDamage))
        return false
      for (const end = Math.min(next + RENAMES, dead.length); next < end; next++) {
        const cid = dead[next] as CID
        if (marker.alive.has(cid.multihash.bytes)) continue
        if (lock.aborted || lost.aborted || locked() > TRUST_LOCK_MS) break
        const away = deadTree(store.paths)
        if (renameAway(checkoutPath(store.paths, cid), away)) taken.push(away)
        failpoint('gc:checkout-taken')
      }
      return true
    })
    if (!walked) await walk(store, context)
  }
  return taken
}

async function walk(store: Store, { marker, signal, despiteDamage }: CheckoutContext): Promise<void> {
  const before = marker.damaged.length
  await marker.run(signal && { signal })
  if (!despiteDamage && marker.damaged.length > before) await refuseDamage(store, marker)
}

/** Unfinished trees of dead processes, and those that were taken away. */
async function removeRubbish({ store }: Pick<PrefixPaths, 'store'>): Promise<void> {
  for (const name of namesIn(store)) {
    if (isRubbish(name)) await removeTree(join(store, name))
  }
  failpoint('gc:checkouts-removed')
}

/** A link that somebody makes of a file right now keeps its bytes, whether or not the pool has it. */
async function prunePool(paths: Pick<PrefixPaths, 'store'>): Promise<void> {
  const pool = poolDirectory(paths)
  let looked = 0
  for (const name of namesIn(pool)) {
    const file = join(pool, name)
    if (lstatSync(file, { throwIfNoEntry: false })?.nlink === 1) removeIfThere(file)
    if (++looked % FILES_A_TURN === 0) await nextTurn()
  }
}

function renameAway(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
