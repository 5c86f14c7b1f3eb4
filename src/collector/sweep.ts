// The sweep: deletes dead blocks in small batches, each under `pins/lock`, and
// none that somebody has claimed since the mark (invariants 2 and 5).
//
// An adder, for every block or DAG (store/add/settle.ts):
//   A1  writes it into its temp pin,
//   A2  looks whether a collector's lock is there, and if so
//   A3  writes it into the journal of claims too, where there is one,
//   A4  and waits for the batch that `pins/lock` says is under way, if one is;
//   A5  looks whether the block is there, and writes it where it is not;
//   A6  at its end writes a link, or does not, and then A7 removes its temp pin.
// A collector:
//   C1  takes its lock,
//   C2  makes the journal,
//   C3  reads temp pins, C4 then links, and marks what they reach;
//   and for each batch
//   C5  takes `pins/lock`, C6 reads what the journal has that is new, and marks
//       that too, C7 deletes what is still dead, C8 gives the lock back.
// What is marked stays so to the end. So a block that an adder relies on after A5
// is not deleted by C7, for one of these is true:
//   - A2 found no lock, so it was before C1, and A1 before C3. If A7 is after C3,
//     C3 read the temp pin; if it is before, A6 was before C4, which read the link.
//   - A3 found no journal, so it was before C2, or wrote into one that C2 emptied
//     afterwards: again A1 was before C3.
//   - A3 wrote into the journal. If that was before C6 of a batch, C6 saw it. If it
//     was after C6 of a batch, that batch held `pins/lock` before A3, so A4 found the
//     lock, or the batch was over: then A5 finds what it has left, and writes anew
//     what it has deleted; all later batches have seen the claim, by their C6.
// What was claimed and given up again stays until the next collection.
// An adder that is killed anywhere promised nothing after it. A killed collector
// leaves its lock (evicted by whoever wants it, files/lock.ts) and its journal,
// which the next C2 empties; claims made meanwhile are in temp pins and links, too.
//
// So a batch in which nobody claimed anything costs one fstat. Links that people
// make by hand, without a temp pin, are looked for before the first batch and every
// second or so, outside the lock; so are programs that were started meanwhile.
//
// A small DAG that was claimed is walked under the lock; for a large one the lock
// is given back, the DAG walked, and the batch begun again. The same is done before
// anything slow: an add never waits for more than one small batch.
//
// A process that was stopped in the middle of a batch for longer than a lock is
// believed (lock.ts) may find that others went on without it. So the lock is
// looked at before each unlink, and a batch holds it for an instant only.

import { unlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isErrno } from '../errors.ts'
import { syncFiles } from '../files/barrier.ts'
import { isBroken } from '../files/failpoint.ts'
import { withLock } from '../files/lock.ts'
import { stopwatch } from '../files/stopwatch.ts'
import type { RootReader } from '../pins/roots.ts'
import { pass } from '../pins/stop-point.ts'
import type { ClaimsJournal } from '../store/add/claims.ts'
import { cidOfBlockName } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { refuseDamage } from './damage.ts'
import type { DeadBlocks } from './dead-blocks.ts'
import type { Limit, StoppedBy, Tally } from './limit.ts'
import type { Marker } from './mark.ts'
import type { PlanOptions } from './options.ts'
import { refuseUnreadable } from './plan.ts'

/** Unlinks go on for this long in one batch, in ms; the rest of it waits for the next one. */
const UNLINK_MS = 10
/** Far below the 10 s after which a lock is taken over: an unlink after this many ms is not ours to do. */
const TRUST_LOCK_MS = 3000
/** Nodes that are walked under the lock for a claim: some ms. */
const NODES_UNDER_LOCK = 500
/** Between two batches while somebody adds, in ms: who makes an auto pin needs the lock too, and shall get it. */
const PAUSE_MS = 15
/** How old the look at links and running programs may be before a batch, in ms, */
const LOOK_MS = 1000
/** and how many times as long as such a look takes it serves at least. */
const LOOK_RATIO = 10

export type SweepContext = PlanOptions & {
  reader: RootReader
  marker: Marker
  journal: ClaimsJournal
  limit: Limit
  /** gets what is deleted */
  tally: Tally
  /** how many blocks a batch may have */
  batch: number
  /** go on where a root reaches a damaged node */
  despiteDamage: boolean
  /** the collector's own lock is gone */
  lost: AbortSignal
}

export type SweepFigures = {
  /** blocks that were dead at the mark, and that somebody has claimed since */
  claimed: number
  /** the number of the first that it did not come to: all of them, where nothing stopped it */
  next: number
  stopped?: StoppedBy | undefined
}

/**
 * Deletes what is dead and still unclaimed; killed at any instant, it leaves a
 * store in which every root is whole, and a rerun deletes the rest. The caller
 * holds the collector's lock. Throws PERMISSION or IO when a root becomes
 * unreadable, CORRUPT_BLOCK when a new one reaches a damaged node, BUSY when it
 * cannot have `pins/lock`.
 */
export async function sweep(store: Store, dead: DeadBlocks, context: SweepContext): Promise<SweepFigures> {
  const { tally, limit, at, signal, lost, onProgress } = context
  const figures: SweepFigures = { claimed: 0, next: 0 }
  let nextLook = 0
  for (let next = 0; next < dead.count; ) {
    signal?.throwIfAborted()
    lost.throwIfAborted()
    figures.stopped = limit.reachedNow(tally)
    if (figures.stopped !== undefined) break
    await pass('batch', at)
    if (performance.now() >= nextLook) {
      const began = performance.now()
      await lookAgain(store, context)
      nextLook = performance.now() + Math.max(LOOK_MS, LOOK_RATIO * (performance.now() - began))
      await pass('looked-again', at)
    }
    const end = Math.min(next + context.batch, dead.count)
    const done = await withLock(store.paths.pinsLock, (lock) =>
      deleteBatch(store, dead, { ...context, next, end, lock, figures }),
    )
    await pass('batch-done', at)
    next = done.next
    figures.next = next
    const { blocks, bytes } = tally.deleted
    onProgress?.({ step: 'sweep', blocks, bytes, total: dead.count })
    if (!done.walked) await walk(store, context)
    if (done.claims) await delay(PAUSE_MS)
  }
  return figures
}

/** What claims nothing in the journal: links by hand, and programs. */
async function lookAgain(store: Store, context: SweepContext): Promise<void> {
  const { reader, marker } = context
  const links = reader.links()
  refuseUnreadable(links.unreadable)
  for (const root of [...links.roots, ...(await reader.processes()).roots]) marker.add(root.cid)
  await walk(store, context)
}

async function walk(store: Store, { marker, signal, despiteDamage }: SweepContext): Promise<void> {
  const before = marker.damaged.length
  await marker.run(signal && { signal })
  if (!despiteDamage && marker.damaged.length > before) await refuseDamage(store, marker)
}

type Batch = SweepContext & { next: number; end: number; lock: AbortSignal; figures: SweepFigures }

/** One batch, under the lock: where the next one begins, whether all claims are walked, and whether there were any. */
async function deleteBatch(store: Store, dead: DeadBlocks, batch: Batch) {
  const { marker, journal, tally, limit, at, lock, lost, figures, end } = batch
  const locked = stopwatch()
  const damaged = marker.damaged.length
  const claims = isBroken('collector-recheck') ? undefined : journal.take()
  if (claims !== undefined) {
    for (const key of claims.blocks) marker.keep(key)
    for (const cid of claims.dags) marker.add(cid)
    // What was missing, and what lies below it with it, may be counted on now.
    marker.retry((cid) => store.blocks.has(cid))
  }
  await pass('batch-claims-read', at)
  const walked = marker.step(NODES_UNDER_LOCK) && (batch.despiteDamage || marker.damaged.length === damaged)
  if (!walked) return { next: batch.next, walked, claims: true }
  const started = performance.now()
  let next = batch.next
  for (; next < end && performance.now() - started < UNLINK_MS; next++) {
    if (dead.isIn(marker.alive, next)) {
      figures.claimed += 1
      continue
    }
    if (limit.reached(tally) !== undefined) break
    if (at) await pass('unlink', at)
    if (lock.aborted || lost.aborted || locked() > TRUST_LOCK_MS) break
    deleteFile(store, dead.name(next))
    tally.add(next)
  }
  return { next, walked: true, claims: claims !== undefined }
}

function deleteFile({ paths, blocks }: Store, name: string): void {
  try {
    unlinkSync(`${paths.blocks}/${name.slice(-3, -1)}/${name}`)
  } catch (error) {
    const cid = isErrno(error, 'EISDIR') ? cidOfBlockName(name) : undefined
    if (cid) blocks.quarantine(cid)
    else if (!isErrno(error, 'ENOENT')) throw error
  }
}

/**
 * Takes back that dead DAGs are complete: who asks later must look. Flushed, so that
 * no power cut undoes it when the blocks are gone. Once, before the first batch, is
 * enough: later only DAGs are noted that somebody protects, and those stay.
 */
export function clearComplete(store: Store, marker: Marker): void {
  const cleared = store.index.clearComplete((cid) => !marker.alive.has(cid.multihash.bytes))
  if (cleared > 0) syncFiles([store.paths.index, `${store.paths.index}-wal`])
}
