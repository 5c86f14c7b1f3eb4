// When a mount server should be replaced by a fresh one: when it is of another
// build than this daemon, or has used up much of what it can never give back
// (libfuse leaves a record behind for each of its threads that ends). It is done
// only while nobody uses the mount; see mount/hand-over.ts.

import { entryPoint } from '../../entry.ts'
import { softwareOf } from '../../mount/software.ts'
import type { PrefixPaths } from '../../paths.ts'
import { mountServerStatus } from './mount-process.ts'
import { mountUsers } from './mount-users.ts'

/**
 * Threads that libfuse ever started. Measured in a soak: 72 requests at once start one in 18
 * requests, and memory outside of JavaScript's grows by at most 8 KiB for each: 160 MiB.
 */
const MAX_THREADS = 20_000

/** Why this server should go, if it should and nobody is seen to use the mount; else undefined. */
export async function reasonToRenew(
  paths: PrefixPaths,
  software = softwareOf(entryPoint('mount-server')),
): Promise<string | undefined> {
  const status = (await mountServerStatus(paths)) as { software?: unknown; threads?: unknown } | undefined
  if (status === undefined) return undefined
  const reason = reasonOf(status, software)
  // The kernel has the last word; this spares it, and us, an attempt a minute.
  return reason !== undefined && (await mountUsers(paths)).length === 0 ? reason : undefined
}

/** Pure. A server that does not say what it is knows no hand-over either. */
export function reasonOf(
  { software, threads }: { software?: unknown; threads?: unknown },
  own: string | undefined,
): string | undefined {
  if (typeof software !== 'string') return undefined
  if (own !== undefined && software !== own) return 'it is of another build'
  return Number(threads) > MAX_THREADS ? `it has used ${threads} threads` : undefined
}
