// The adder's half of the bargain with a collector (invariants 2 and 5): after
// something was put into a temp pin, and before its presence is looked at.
// The whole argument is in collector/sweep.ts.

import { lstatSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isLocked, withLock } from '../../files/lock.ts'
import type { PrefixPaths } from '../../paths.ts'
import { noteClaims } from './claims.ts'

/** A batch is over sooner (collector/sweep.ts); after this long, in ms, its collector may be dead: a lock can tell. */
const PATIENCE_MS = 200

/**
 * Returns when every delete is over whose collector has not seen what our temp pin
 * says by now. While a collector runs, `records` (those that were put into the temp
 * pin) are noted for it, and the batch of deletes that it may be in the middle of is
 * waited for, though not for any later one: those begin by reading the note. So what
 * we then find present stays, and what we write is not taken either: also not where
 * the collector had listed a damaged file of the same name that somebody quarantined
 * since. Costs one look when no collector runs. Throws NO_SPACE and the like, BUSY.
 */
export async function settle(
  paths: Pick<PrefixPaths, 'pinsLock' | 'collector'>,
  records: string,
): Promise<void> {
  if (!isLocked(paths.collector)) return
  noteClaims(paths, records)
  const batch = identityOf(paths)
  if (batch === undefined) return
  const until = performance.now() + PATIENCE_MS
  while (identityOf(paths) === batch) {
    if (performance.now() > until) return withLock(paths.pinsLock, () => {})
    await delay(1)
  }
}

/** Of one holding of `pins/lock`: another one may get the same inode, but not at the same time. */
function identityOf({ pinsLock }: Pick<PrefixPaths, 'pinsLock'>): string | undefined {
  const stats = lstatSync(`${pinsLock}.lock`, { throwIfNoEntry: false, bigint: true })
  return stats && `${stats.ino} ${stats.birthtimeNs}`
}
