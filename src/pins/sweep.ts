// The sweep: deletes dead blocks in small batches, each under `pins/lock`.
//
// Under the lock, before anything is deleted, the temp pins are read again, and
// then the links. So a block that was claimed after the mark is seen as claimed:
//   - by an adder that is at it: its temp pin had the record before it looked
//     whether the block is there, and it waits for the batch it may have met in
//     the middle (store/settle.ts);
//   - by a link: whoever makes one keeps the DAG in a temp pin until the link is
//     there, so one of the two is read.
// What a new root reaches has to be walked. A small DAG is, under the lock; for a
// large one the lock is given back, the DAG walked, and the batch begun again.
//
// A process that was stopped in the middle of a batch for longer than a lock is
// believed (lock.ts) may find that others went on without it. So the lock is
// looked at before each unlink, and a batch holds it for an instant only.

import { setTimeout as delay } from 'node:timers/promises'
import { syncFiles } from '../files/barrier.ts'
import { withLock } from '../files/lock.ts'
import { type BlockKey, CID, DAG_CBOR, DAG_JSON, DAG_PB, multihashOfKey, rawCidOfKey } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { refuseDamage } from './damage.ts'
import type { Marker } from './mark.ts'
import { type DeadBlocks, type PlanOptions, refuseUnreadable } from './plan.ts'
import type { RootReader } from './roots.ts'
import { pass } from './stop-point.ts'

/** Unlinks go on for this long in one batch, in ms; the rest of it waits for the next one. */
const UNLINK_MS = 25
/** Far below the 10 s after which a lock is taken over: an unlink after this many ms is not ours to do. */
const TRUST_LOCK_MS = 3000
/** Nodes of new roots that are walked under the lock: about 10 ms. */
const NODES_UNDER_LOCK = 2000
/** Between two batches while somebody adds, in ms: waiters try every few ms at first, and shall get their turn. */
const PAUSE_MS = 25
/** How old the look at running programs may be before a batch, in ms: it takes some 100 ms itself on a busy machine. */
const PROCESSES_MS = 2000

export type SweepContext = PlanOptions & {
  reader: RootReader
  marker: Marker
  /** how many blocks a batch may have */
  batch: number
  /** go on where a root reaches a damaged node */
  despiteDamage: boolean
  /** the collector's own lock is gone */
  lost: AbortSignal
}

export type SweepFigures = {
  blocks: number
  bytes: number
  /** blocks that were dead at the mark, and that somebody has claimed since */
  claimed: number
}

/**
 * Deletes what is dead and still unclaimed; killed at any instant, it leaves a
 * store in which every root is whole, and a rerun deletes the rest. The caller
 * holds the collector's lock. Throws PERMISSION or IO when a root becomes
 * unreadable, CORRUPT_BLOCK when a new one reaches a damaged node, BUSY when it
 * cannot have `pins/lock`.
 */
export async function sweep(store: Store, dead: DeadBlocks, context: SweepContext): Promise<SweepFigures> {
  const { marker, reader, at, signal, lost, onProgress } = context
  const figures: SweepFigures = { blocks: 0, bytes: 0, claimed: 0 }
  let looked = Date.now()
  for (let next = 0; next < dead.keys.length; ) {
    signal?.throwIfAborted()
    lost.throwIfAborted()
    if (Date.now() - looked > PROCESSES_MS) {
      for (const root of reader.processes().roots) marker.add(root.cid)
      looked = Date.now()
    }
    const end = Math.min(next + context.batch, dead.keys.length)
    forget(store, dead.keys.slice(next, end))
    await pass('batch', at)
    const done = await withLock(store.paths.pinsLock, (lock) =>
      deleteBatch(store, dead, { ...context, next, end, lock, figures }),
    )
    await pass('batch-done', at)
    next = done.next
    onProgress?.({ step: 'sweep', blocks: figures.blocks, bytes: figures.bytes, total: dead.keys.length })
    if (!done.walked) await marker.run(signal && { signal })
    if (done.others) await delay(PAUSE_MS)
  }
  return figures
}

type Batch = SweepContext & { next: number; end: number; lock: AbortSignal; figures: SweepFigures }

/** One batch, under the lock: where the next one begins, whether new roots are walked, and whether others add. */
async function deleteBatch(store: Store, dead: DeadBlocks, batch: Batch) {
  const { marker, reader, at, lock, lost, figures, end } = batch
  const locked = Date.now()
  const { temp, links } = await reader.claims(() => pass('batch-temp-pins-read', at))
  refuseUnreadable(links.unreadable)
  for (const key of temp.blocks) marker.keep(key)
  for (const root of [...temp.roots, ...links.roots]) marker.add(root.cid)
  await pass('batch-roots-read', at)
  const others = temp.living > 0
  if (!marker.step(NODES_UNDER_LOCK)) return { next: batch.next, walked: false, others }
  if (!batch.despiteDamage) await refuseDamage(store, marker)
  clearComplete(store, marker)
  const started = Date.now()
  let next = batch.next
  for (; next < end && Date.now() - started < UNLINK_MS; next++) {
    const key = dead.keys[next]!
    if (marker.alive.has(multihashOfKey(key))) {
      figures.claimed += 1
      continue
    }
    if (at) await pass('unlink', at)
    if (lock.aborted || lost.aborted || Date.now() - locked > TRUST_LOCK_MS) break
    store.blocks.delete(rawCidOfKey(key))
    figures.blocks += 1
    figures.bytes += dead.sizes[next]!
  }
  return { next, walked: true, others }
}

/**
 * Takes back that dead DAGs are complete: who asks later must look. Here too, and
 * not only before the first batch, for somebody may have added such a DAG whole
 * and given it up again since. Flushed, so that no power cut undoes it when the
 * blocks are gone.
 */
export function clearComplete(store: Store, marker: Marker): void {
  const cleared = store.index.clearComplete((cid) => !marker.alive.has(cid.multihash.bytes))
  if (cleared > 0) syncFiles([store.paths.index, `${store.paths.index}-wal`])
}

/** Forgets links before the blocks go: the other way round a kill would leave rows of nothing. */
function forget(store: Store, keys: readonly BlockKey[]): void {
  const nodes = keys.flatMap((key) => {
    const { multihash } = rawCidOfKey(key)
    return [DAG_PB, DAG_CBOR, DAG_JSON].map((codec) => CID.createV1(codec, multihash))
  })
  store.index.deleteNodes(nodes)
}
