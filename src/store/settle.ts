// The adder's half of the bargain with a collector (invariants 2 and 5): after
// something was put into a temp pin, and before its presence is looked at.

import { isLocked, withLock } from '../files/lock.ts'
import type { PrefixPaths } from '../paths.ts'

/**
 * Returns when every delete is over whose collector has not seen what our temp
 * pin says by now. A collector reads the temp pins and deletes one small batch
 * under `pins/lock`; so having held that lock for a moment, what we find present
 * stays, and what we write is not taken either: also not where the collector had
 * listed a damaged file of the same name that somebody quarantined since. A
 * collector that begins later reads the temp pin anyway.
 * Costs one look when no collector runs.
 */
export async function settle(paths: Pick<PrefixPaths, 'pinsLock' | 'collector'>): Promise<void> {
  if (isLocked(paths.collector)) await withLock(paths.pinsLock, () => {})
}
