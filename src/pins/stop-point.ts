// The named points of a collection. A test can stop a collector at each of them
// and act beside it, or kill it there; otherwise they cost nothing.

import { failpoint } from '../files/failpoint.ts'

/** In the order in which a collection passes them; from `batch` to `batch-done` once a batch. */
export const STOP_POINTS = [
  /** the collector's lock is ours */
  'locked',
  /** the journal of claims is begun */
  'journal-begun',
  /** old generations are chosen, none is deleted */
  'generations-chosen',
  /** a generation's link is deleted */
  'generation-deleted',
  /** auto pins without a link are found, none is dropped */
  'gone-found',
  /** one of them goes by its second name, and its link was not looked at again */
  'pin-set-aside',
  /** they are dropped */
  'pins-dropped',
  /** temp pins are read, links are not */
  'temp-pins-read',
  /** all roots are read, nothing is marked */
  'roots-read',
  'marked',
  /** the dead blocks are listed */
  'listed',
  /** the index no longer says of any dead DAG that it is complete */
  'cleared',
  /** the deletion of links is on stable storage: from here on blocks go */
  'synced',
  /** before the lock for a batch */
  'batch',
  /** links and running programs were looked at once more: not before every batch */
  'looked-again',
  /** under the lock: what the journal had that is new is marked */
  'batch-claims-read',
  /** under the lock, before each unlink */
  'unlink',
  /** the lock is given back */
  'batch-done',
  'swept',
  /** the index has forgotten the nodes that are gone */
  'forgotten',
  'cleaned',
] as const

export type StopPoint = (typeof STOP_POINTS)[number]

export type AtPoint = (point: StopPoint) => void | Promise<void>

/** Passes a point: `at` may wait there. */
export async function pass(point: StopPoint, at?: AtPoint): Promise<void> {
  failpoint(`gc:${point}`)
  await at?.(point)
}
