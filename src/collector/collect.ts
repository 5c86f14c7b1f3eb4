// A collection: a plan, and its execution.
//
// It holds the lock `pins/collector` for its whole run, so that there is one at a
// time and adders know of it; `pins/lock`, which adders need, for one small batch
// of deletes at a time (invariant 5). The order keeps invariant 2 at every kill:
//   the journal of claims is begun (sweep.ts);
//   links of old generations go, and auto pins that lead nowhere;
//   temp pins are read, then links, then processes; what they reach is marked;
//   damage among that stops it (damage.ts), before the generations go already;
//   the index stops calling dead DAGs complete; all that is flushed, for a power
//     cut must not bring back a link whose blocks have gone;
//   dead checkouts go (checkouts.ts), then dead blocks, batch by batch (sweep.ts).

import { readConfig } from '../config.ts'
import { hasCode, isErrno, PkgError } from '../errors.ts'
import { withLock } from '../files/lock.ts'
import type { PrefixPaths } from '../paths.ts'
import { dropGone } from '../pins/auto-pin.ts'
import { makeRecord, refreshRecord } from '../pins/auto-record.ts'
import { findHungMounts } from '../pins/hung-mounts.ts'
import { readLinks } from '../pins/links.ts'
import { readMounts } from '../pins/mount-table.ts'
import type { Root } from '../pins/root.ts'
import { RootReader } from '../pins/roots.ts'
import { pass } from '../pins/stop-point.ts'
import { ClaimsJournal } from '../store/add/claims.ts'
import { keepSpare } from '../store/spare.ts'
import type { Store } from '../store/store.ts'
import { collectCheckouts } from './checkouts.ts'
import { refuseDamage } from './damage.ts'
import { NO_CHECKOUTS } from './dead-checkouts.ts'
import { groupDead } from './dead-groups.ts'
import type { CollectionResult } from './figures.ts'
import { flushDirectories } from './flush.ts'
import { forgetNodes } from './forget.ts'
import { noteCollection } from './last-collection.ts'
import { removeDeadTempPins, removeUnfinished } from './leftovers.ts'
import { Limit, Tally } from './limit.ts'
import { deleteOldGenerations, findOldGenerations } from './old-generations.ts'
import type { CollectionOptions, PlanOptions } from './options.ts'
import { markRoots, planCollection, refuseUnreadable, remembered, surveyStore } from './plan.ts'
import type { RetentionPolicy } from './retention.ts'
import { makeRoom, noRoomError } from './room.ts'
import { clearComplete, sweep } from './sweep.ts'

/** A killed collector's lock is believed for 10 s (lock.ts); this outlasts it, so that a rerun succeeds. */
const WAIT_MS = 12_000

/**
 * Deletes every block that no root reaches, beside whatever else goes on, and
 * before it the generations that the policy lets go. May be interrupted or killed
 * at any instant; a rerun does the rest. Throws BUSY while another collection
 * runs; PERMISSION or IO, naming the place, when there are roots that cannot be
 * read, CORRUPT_BLOCK when one reaches a damaged node whose links the index does
 * not know, unless `despiteDamage`: then nothing is deleted; NO_SPACE where not even a lock has room; what `signal` says when it is aborted.
 */
export async function runCollection(
  store: Store,
  policy: RetentionPolicy = {},
  { dryRun = false, waitMs = WAIT_MS, despiteDamage = false, ...given }: CollectionOptions = {},
): Promise<CollectionResult> {
  const { graceMs = readConfig(store.paths)['gc.graceSeconds'] * 1000 } = given
  const options = { ...given, graceMs, despiteDamage }
  await findHungMounts(store.paths)
  if (dryRun) return planned(store, policy, options)
  const run = async (lost: AbortSignal) => {
    const started = Date.now()
    return noteCollection(store.paths, await collect(store, policy, { ...options, lost }), started)
  }
  try {
    makeRoom(store)
    return await withLock(store.paths.collector, run, {
      waitMs,
      ...(options.signal && { signal: options.signal }),
    })
  } catch (cause) {
    if (!hasCode(cause, 'BUSY') || !cause.message.startsWith(`${store.paths.collector} `))
      throw noRoomError(cause)
    throw new PkgError('BUSY', 'another collection is running', { hint: 'Wait for it to end.', cause })
  }
}

async function planned(
  store: Store,
  policy: RetentionPolicy,
  options: PlanOptions & { despiteDamage: boolean },
): Promise<CollectionResult> {
  const { roots, ...plan } = await planCollection(store, policy, options)
  refuseUnreadable(plan.unreadable)
  if (!options.despiteDamage) await refuseDamage(store, plan)
  return { dryRun: true, ...plan, claimed: 0, skipped: [], roots: roots.length }
}

type Run = PlanOptions &
  Pick<CollectionOptions, 'onGeneration'> & { despiteDamage: boolean; lost: AbortSignal }

async function collect(store: Store, policy: RetentionPolicy, options: Run): Promise<CollectionResult> {
  const { at, lost, despiteDamage } = options
  await pass('locked', at)
  const journal = new ClaimsJournal(store.paths)
  try {
    await pass('journal-begun', at)
    const limit = new Limit(store.paths, options)
    const old = await dropOld(store, limit.isMet ? {} : policy, options)
    const reader = new RootReader(store.paths)
    const survey = await surveyStore(store, reader, options)
    const { roots, unreadable, deniedProcesses, deniedFirst, stuckProcesses, marker, dead, listed, young } =
      survey
    refuseUnreadable(unreadable)
    if (!despiteDamage) await refuseDamage(store, marker)
    remember(store.paths, roots)
    lost.throwIfAborted()
    const { generations, kept, gone, autoPins, skipped } = old
    const groups = await groupDead(store, dead, {
      ...{ alive: marker.alive, gone: { generations, autoPins } },
      ...{ signal: options.signal, nameDead: options.nameDead },
    })
    const met = limit.isMet
    if (dead.count > 0 && !met) {
      clearComplete(store, marker)
      await pass('cleared', at)
      // Others may have deleted links and flushed nothing.
      await flushDirectories(survey.directories)
      await pass('synced', at)
    }
    const context = { ...options, reader, marker, journal, directories: survey.directories }
    const trees = met ? NO_CHECKOUTS : await collectCheckouts(store, context)
    const tally = new Tally(dead, groups, trees.checkoutDiskBytes)
    const batch = readConfig(store.paths)['gc.batch']
    const { claimed, stopped, next } = await sweep(store, dead, {
      ...options,
      ...{ reader, marker, journal, limit, tally, batch },
    })
    await pass('swept', at)
    if (tally.deleted.blocks > 0) await forgetNodes(store, marker, options)
    await pass('forgotten', at)
    removeUnfinished(store.paths, survey.directories)
    keepSpare(store.paths)
    await pass('cleaned', at)
    const { incomplete, damaged } = marker
    const room = limit.room()
    return {
      ...{ dryRun: false, ...tally.deleted, dead: tally.found(), young },
      ...(stopped && { stopped, left: dead.amountFrom(next, marker.alive) }),
      ...(room && { room }),
      ...{ claimed, generations, kept, gone, skipped, roots: roots.length },
      ...{ keptBlocks: listed - dead.count - young + claimed },
      ...{ unreadable, deniedProcesses, deniedFirst, stuckProcesses, incomplete, damaged, ...trees },
    }
  } finally {
    journal.close()
  }
}

/** Temp pins of the dead, old generations, and auto pins whose link was deleted. */
async function dropOld(store: Store, policy: RetentionPolicy, options: Run) {
  const { at, signal, despiteDamage, onGeneration } = options
  removeDeadTempPins(store.paths)
  refuseUnreadable(readLinks(store.paths).unreadable)
  if (!despiteDamage) await refuseDamageBeyond(store, policy, signal)
  const old = await deleteOldGenerations(store, policy, { at, onGeneration })
  const found = readLinks(store.paths).gone
  await pass('gone-found', at)
  const autoPins = remembered(found)
  const gone = await dropGone(store, found, at)
  await pass('pins-dropped', at)
  return { generations: old.deleted, kept: old.kept, skipped: old.skipped, gone, autoPins }
}

/** Refuses damage that would still be reached without the generations that are about to go: they would go for nothing. */
async function refuseDamageBeyond(
  store: Store,
  policy: RetentionPolicy,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (policy.keep === undefined && policy.olderThanMs === undefined) return
  const leaveOut = (roots: readonly Root[]) =>
    new Set(findOldGenerations(roots, policy).map(({ path }) => path))
  const { marker } = await markRoots(store, new RootReader(store.paths), { signal, leaveOut })
  await refuseDamage(store, marker)
}

/**
 * Owners change where their links lead: what an auto pin remembers is brought up
 * to date while it can be read. Where that cannot be written (a full disk, a
 * directory of somebody else's) the older memory has to do.
 */
function remember(paths: PrefixPaths, roots: readonly Root[]): void {
  const mounts = readMounts()
  for (const { autoPin, cid, via, remembered } of roots) {
    if (autoPin === undefined || remembered) continue
    try {
      refreshRecord(paths, autoPin, makeRecord(cid, via, mounts))
    } catch (error) {
      if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw error
    }
  }
}
