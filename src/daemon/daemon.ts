// The daemon of one prefix: single, by its pid file; supervises the mount server
// and answers the API. It keeps nothing in memory that another daemon would
// miss: killed at any instant, the next one finds all it needs on the disk.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PkgError } from '../errors.ts'
import { withLock } from '../files/lock.ts'
import { namesThisProcess, readPidFile, runningHere, writePidFile } from '../files/pid-file.ts'
import { isListening } from '../files/socket.ts'
import { storeMode } from '../mount/mode.ts'
import { type PrefixPaths, prefixPaths } from '../paths.ts'
import { flushIfWritten, recheck } from '../store/add/recheck.ts'
import { renewLinks } from '../store/checkout/links.ts'
import { Store } from '../store/store.ts'
import { listenApi } from './api/api.ts'
import { AutoCollector, type CollectionStatus } from './collect/auto-collect.ts'
import { forgetDeadElsewhere, requireStartable } from './elsewhere.ts'
import { type Log, openLog } from './log.ts'
import { mountServerStatus } from './mount/mount-process.ts'
import { type MountStatus, MountSupervisor } from './mount/supervisor.ts'
import { requireOwnPrefix } from './own-prefix.ts'

/** Milliseconds between two looks at the pid file, which tells whether this is still the prefix's daemon. */
const LOOK_MS = 1000
/** Milliseconds between two flushes, where blocks were written: what came later is read again after a crash. */
const FLUSH_MS = 10 * 60 * 1000

/** What GET /v1/status gives. Times are ISO 8601. `server` is the mount server's own status. */
export type DaemonStatus = {
  format: 1
  pid: number
  prefix: string
  started: string
  mount: MountStatus & { path: string; server?: unknown }
  collection: CollectionStatus
}

/** `unmount`: false leaves the mount server running, for the next daemon to adopt. */
export type Ending = { reason: string; unmount: boolean }

/**
 * Runs the daemon of this prefix until `end` settles, until its pid file is
 * gone, or until another daemon took its place. Throws BUSY when one runs
 * already, PERMISSION when the prefix may not be written, or root finds it another user's.
 */
export async function runDaemon(root: string, end: Promise<Ending>): Promise<void> {
  requireOwnPrefix(prefixPaths(root))
  const store = Store.open(root)
  const log = openLog(store.paths.log, 'daemon')
  try {
    await serve(store, end, log)
  } finally {
    release(store.paths)
    store.close()
  }
  log('stopped')
}

/** Settles at the first signal: SIGTERM and SIGINT unmount, SIGHUP leaves the mount to the next daemon. */
export function endOfSignals(): Promise<Ending> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => resolve({ reason: name, unmount: true }))
    }
    process.on('SIGHUP', () => resolve({ reason: 'SIGHUP', unmount: false }))
  })
}

async function serve(store: Store, end: Promise<Ending>, log: Log): Promise<void> {
  const { paths } = store
  const started = new Date().toISOString()
  const supervisor = new MountSupervisor(paths, log)
  const collector = new AutoCollector(paths, log)
  const status = async (): Promise<DaemonStatus> => {
    const server = await mountServerStatus(paths)
    const mount = { ...supervisor.status, path: paths.store, ...(server !== undefined && { server }) }
    return { format: 1, pid: process.pid, prefix: paths.root, started, mount, collection: collector.status }
  }
  const server = await claim(paths, () => listenApi(paths, { store, status, log }))
  log(`started (pid ${process.pid}, Node.js ${process.versions.node})`)
  supervisor.start()
  collector.start()
  const ending = new AbortController()
  void careForBlocks(store, log, ending.signal)
  void careForTrees(store, log)

  const { reason, unmount } = await Promise.race([end, displaced(paths)])
  log(`stopping: ${reason}`)
  ending.abort()
  collector.close()
  server.close()
  await supervisor.close({ unmount })
}

/** Verifies what an unclean stop may have harmed, so that nobody has to wait for it; and leaves little to the next one. */
async function careForBlocks(store: Store, log: Log, signal: AbortSignal): Promise<void> {
  try {
    const found = await recheck(store, { signal })
    if (found) log(`${found.blocks} blocks were written last: ${found.bad.length} of them are damaged`)
    for (const cid of found?.bad ?? []) log(`block ${cid} was damaged when the machine stopped`)
    for (;;) {
      await delay(FLUSH_MS, undefined, { signal, ref: false })
      await flushIfWritten(store.paths)
    }
  } catch (error) {
    if (!signal.aborted) log(`the blocks written last are not looked after: ${(error as Error).message}`)
  }
}

/** Has checkouts lead to where the prefix is now, for users who may not write it. */
async function careForTrees(store: Store, log: Log): Promise<void> {
  try {
    if (storeMode(store.paths) === 'checkout') await renewLinks(store)
  } catch (error) {
    log(`the links of checkouts are not looked after: ${(error as Error).message}`)
  }
}

/**
 * Makes this process the prefix's daemon, and listens before it gives the lock back: who
 * has the lock can tell by the socket whether a daemon lives, whatever the pid file says.
 */
async function claim<T>(paths: PrefixPaths, listen: () => Promise<T>): Promise<T> {
  return await withLock(join(paths.var, 'daemon'), async () => {
    await requireStartable(paths)
    const other = runningHere(paths.daemonPid)
    const runs = `a daemon runs for ${paths.root} already`
    if (other) throw new PkgError('BUSY', `${runs} (pid ${other.pid})`, { hint: 'See `pkg daemon status`.' })
    if (await isListening(paths.daemonSocket)) {
      throw new PkgError('BUSY', `${runs}: it answers at ${paths.daemonSocket}, and no pid file names it`, {
        hint: 'It ends by itself when it notices. Try again in some seconds.',
      })
    }
    await forgetDeadElsewhere(paths)
    writePidFile(paths.daemonPid)
    return await listen()
  })
}

/** Settles when the pid file no longer names this process: the prefix was removed, or somebody took over. */
async function displaced(paths: PrefixPaths): Promise<Ending> {
  for (;;) {
    await delay(LOOK_MS, undefined, { ref: false })
    const named = readPidFile(paths.daemonPid)
    if (!named) return { reason: 'the pid file is gone', unmount: true }
    if (namesThisProcess(paths.daemonPid)) continue
    return { reason: `process ${named.pid} is the daemon now`, unmount: false }
  }
}

function release(paths: PrefixPaths): void {
  if (!namesThisProcess(paths.daemonPid)) return
  rmSync(paths.daemonSocket, { force: true })
  rmSync(paths.daemonPid, { force: true })
}
