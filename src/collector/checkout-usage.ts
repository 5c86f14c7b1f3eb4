// What all checkouts take: looks only, and counts a file once however many trees have it.

import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { namesIn } from '../files/directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { cidOfCheckout } from '../store/checkout/names.ts'
import { allocated } from './amount.ts'
import { isCovered } from './dead-checkouts.ts'

/** Entries between two turns of the event loop: a few ms of work. */
const ENTRIES_A_TURN = 1024

export type CheckoutUsage = {
  trees: number
  /** inodes of files, and the bytes in them */
  files: number
  bytes: number
  /** what the file system has given for those, and for directories and links */
  diskBytes: number
}

/** All that lies below `store`, unfinished and dead trees too. Nothing where a mount covers it: nobody sees them then. */
export async function measureCheckouts(
  paths: Pick<PrefixPaths, 'root' | 'store'>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<CheckoutUsage> {
  const usage = { trees: 0, files: 0, bytes: 0, diskBytes: 0 }
  if (isCovered(paths)) return usage
  const seen = new Set<number>()
  const names = namesIn(paths.store)
  usage.trees = names.filter((name) => cidOfCheckout(name) !== undefined).length
  const waiting = names.map((name) => join(paths.store, name))
  let looked = 0
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (++looked % ENTRIES_A_TURN === 0) {
      await nextTurn()
      signal?.throwIfAborted()
    }
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined || seen.has(stats.ino)) continue
    if (stats.nlink > 1 && !stats.isDirectory()) seen.add(stats.ino)
    usage.diskBytes += allocated(stats)
    if (stats.isDirectory()) for (const name of namesIn(path)) waiting.push(join(path, name))
    if (!stats.isFile()) continue
    usage.files += 1
    usage.bytes += stats.size
  }
  return usage
}
