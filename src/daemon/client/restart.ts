// Another daemon in place of this one, after an update of the software say. The
// mount server goes on meanwhile, and programs notice nothing; the new daemon
// replaces it when nobody uses the mount (daemon/mount/renewal.ts).

import { runningHere } from '../../files/pid-file.ts'
import { requireUncovered } from '../../mount/mountpoint.ts'
import type { PrefixPaths } from '../../paths.ts'
import { requireNoneElsewhere } from '../elsewhere.ts'
import { endProcess } from '../mount/mount-process.ts'
import { type EnsureOptions, ensureDaemon } from './client.ts'

/** Milliseconds for a daemon to end by itself. */
const END_MS = 10_000

/**
 * Ends the daemon, leaves the mount, and starts a new daemon; says whether one ran.
 * Throws BUSY where something else lies over the mount or it is not seen here, PERMISSION when it is another user's, or of another pid namespace, and what `ensureDaemon` throws.
 */
export async function restartDaemon(paths: PrefixPaths, options: EnsureOptions = {}): Promise<boolean> {
  await requireNoneElsewhere(paths)
  requireUncovered(paths)
  const daemon = runningHere(paths.daemonPid)
  if (daemon && !(await endProcess(daemon, END_MS, 'SIGHUP'))) await endProcess(daemon, END_MS, 'SIGKILL')
  await ensureDaemon(paths, options)
  return daemon !== undefined
}
