// The daemon from outside: is it there, start it when it is needed, stop it. What a command asks before its
// work is answered from pid files and /proc alone, so that a running daemon costs a command nothing.

import { spawn } from 'node:child_process'
import { closeSync, lstatSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { entryPoint } from '../../entry.ts'
import { EXIT, hasCode, isErrno, PkgError } from '../../errors.ts'
import { makePrefixDirectory } from '../../files/directory.ts'
import { runningHere, runningProcess } from '../../files/pid-file.ts'
import { ownEnvironment } from '../../files/system-command.ts'
import { describeMode, type StoreMode, storeMode } from '../../mount/mode.ts'
import { type MountState, mountState, requireUncovered } from '../../mount/mountpoint.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { DaemonStatus } from '../daemon.ts'
import {
  type Elsewhere,
  findElsewhere,
  forgetDeadElsewhere,
  isServedElsewhere,
  requireNoneElsewhere,
} from '../elsewhere.ts'
import { askSocket } from '../http.ts'
import { logSize, openLogFile, tailLog } from '../log.ts'
import { endProcess, servingProcess, stopMountServer } from '../mount/mount-process.ts'
import { requireUnused } from '../mount/mount-users.ts'
import { requireOwnPrefix } from '../own-prefix.ts'
import { silentDaemon } from '../silence.ts'

/** Milliseconds for a daemon to serve: past its own bound for the mount server, so that its error is the one shown. */
const START_MS = 20_000

/** Milliseconds for a daemon to end: past its own bound for the mount server; and for a kill to work. */
const [STOP_MS, KILL_MS] = [10_000, 2000]

/** Pauses between two looks at a daemon that starts, and between two questions to it. */
const LOOK_MS = 20
const ASK_MS = 200

export type EnsureOptions = { waitMs?: number; signal?: AbortSignal }

/**
 * True when the daemon and the mount server run and the mount is there; in checkout
 * mode, when the daemon listens. Reads some small files, asks nobody.
 */
export function isServing(paths: PrefixPaths): boolean {
  if (!runningHere(paths.daemonPid)) return false
  return servingProcess(paths) !== undefined || (storeMode(paths) === 'checkout' && listens(paths))
}

/** A socket older than the pid file is a dead daemon's. */
function listens({ daemonSocket, daemonPid }: PrefixPaths): boolean {
  const [socket, pid] = [daemonSocket, daemonPid].map((path) => lstatSync(path, { throwIfNoEntry: false }))
  return socket !== undefined && pid !== undefined && socket.mtimeMs >= pid.mtimeMs
}

/**
 * Returns when the prefix is mounted (in checkout mode: when the daemon listens), starting the daemon if none runs;
 * true when it had to be started. Idempotent, and safe beside others doing the same.
 * Throws NO_FUSE or MOUNT_FAILED with the daemon’s reason or what lies over the mount, NO_DAEMON when it does not come up in time or
 * mounts elsewhere, PERMISSION when only another user can start it.
 */
export async function ensureDaemon(
  paths: PrefixPaths,
  { waitMs = START_MS, signal }: EnsureOptions = {},
): Promise<boolean> {
  if (isServing(paths) || (await isServedElsewhere(paths))) return false
  requireUncovered(paths, 'MOUNT_FAILED')
  const since = new Date().toISOString()
  const from = logSize(paths.log)
  const deadline = performance.now() + waitMs
  let child: Promise<Exit> | undefined
  let started = false
  for (let ask = 0; !isServing(paths); ) {
    signal?.throwIfAborted()
    if (performance.now() >= deadline) throw notUp(paths, from, `no mount within ${waitMs / 1000} s`)
    // Looked at in every round: the one that runs may be dying.
    if (!child && !runningHere(paths.daemonPid)) {
      child = startDaemon(paths)
      started = true
    }
    const exit = await Promise.race([delay(LOOK_MS), child ?? delay(LOOK_MS)])
    if (exit && exit.status !== EXIT.busy) throw notUp(paths, from, exit.text)
    // It gave way to another daemon, which is the one to wait for.
    if (exit) child = undefined
    if (exit && (await isServedElsewhere(paths))) return false
    if (performance.now() < ask) continue
    ask = performance.now() + ASK_MS
    if (await isServedElsewhere(paths)) return false
    await throwReason(paths, since)
  }
  return started
}

export type DaemonState = {
  running: boolean
  /** how programs see the store, and what decided that */
  mode: StoreMode
  why: string
  /** root's daemon decides, and does not run */
  undecided?: true
  mount: MountState
  /** the daemon's own words, when it answers */
  status?: DaemonStatus
  pid?: number
  mountPid?: number
  /** it runs in another pid namespace, where the pids are counted; or its mount is not seen here */
  elsewhere?: Elsewhere
}

/**
 * How things are, daemon or no daemon. Never starts one, never waits long; with
 * `ask: false` looks at /proc only. Throws NO_DAEMON when it does not answer,
 * and EACCES when this user may not ask it.
 */
export async function daemonState(paths: PrefixPaths, { ask = true } = {}): Promise<DaemonState> {
  const elsewhere = await findElsewhere(paths)
  const daemon = elsewhere?.what === 'a daemon' ? elsewhere : runningHere(paths.daemonPid)
  const server = runningProcess(paths.mountPid)
  const status = daemon && ask ? await askRunning(paths, daemon.pid) : undefined
  const inForce = describeMode(paths)
  return {
    running: daemon !== undefined,
    mode: inForce.mode,
    why: inForce.why,
    ...(inForce.undecided && { undecided: true as const }),
    mount: mountState(paths),
    ...(daemon && { pid: daemon.pid }),
    ...(elsewhere && { elsewhere }),
    ...(server && { mountPid: server.pid }),
    ...(status && { status }),
  }
}

/** What `stopDaemon` ended. */
export type Stopped = { daemon: boolean; mount: boolean }
/** `force`: also while programs use the mount; they may die of it. */
export type StopOptions = { force?: boolean }

/**
 * Ends the daemon and the mount server, and takes the mount away. Idempotent;
 * ends a mount server whose daemon was killed too. Throws BUSY naming the
 * processes that use the mount, what lies over it, or whose mount is not seen here, and PERMISSION when it is another user's, or of another pid namespace.
 */
export async function stopDaemon(paths: PrefixPaths, { force = false }: StopOptions = {}): Promise<Stopped> {
  await requireNoneElsewhere(paths, { force })
  await forgetDeadElsewhere(paths)
  requireUncovered(paths)
  // A stale mount serves nobody any more.
  if (!force && mountState(paths) === 'mounted') await requireUnused(paths)
  const daemon = runningHere(paths.daemonPid)
  const mount = mountState(paths) !== 'none' || runningHere(paths.mountPid) !== undefined
  if (daemon && !(await endProcess(daemon, STOP_MS))) await endProcess(daemon, KILL_MS, 'SIGKILL')
  if (mountState(paths) !== 'none' || runningProcess(paths.mountPid)) await stopMountServer(paths)
  return { daemon: daemon !== undefined, mount }
}

type Exit = { status: number | null; text: string }

/** Starts a daemon that outlives this process; the promise settles when it ends, which a good one does not. */
function startDaemon(paths: PrefixPaths): Promise<Exit> {
  const log = logOf(paths)
  try {
    const child = spawn(process.execPath, [entryPoint('daemon'), '--prefix', paths.root], {
      cwd: '/',
      env: ownEnvironment(),
      detached: true,
      stdio: ['ignore', log, log],
    })
    child.unref()
    return new Promise((resolve) => {
      child.once('error', (error) => resolve({ status: null, text: error.message }))
      child.once('exit', (status, name) => {
        resolve({ status, text: name ? `killed by ${name}` : `exit status ${status}` })
      })
    })
  } finally {
    closeSync(log)
  }
}

function logOf(paths: PrefixPaths): number {
  try {
    requireOwnPrefix(paths)
    makePrefixDirectory(paths.var)
    return openLogFile(paths.log)
  } catch (cause) {
    if (!isErrno(cause, 'EACCES', 'EPERM', 'EROFS')) throw cause
    throw new PkgError('PERMISSION', `no daemon runs for ${paths.root}, and this user may not start one`, {
      hint: 'Have its owner run `pkg daemon start`, or set PKG_PREFIX to a directory of your own.',
      cause,
    })
  }
}

async function askRunning(paths: PrefixPaths, pid: number): Promise<DaemonStatus | undefined> {
  try {
    return await askDaemon(paths)
  } catch (error) {
    throw hasCode(error, 'NO_DAEMON') ? silentDaemon(paths, pid, error) : error
  }
}

async function askDaemon(paths: PrefixPaths): Promise<DaemonStatus | undefined> {
  return (await askSocket(paths.daemonSocket, '/v1/status')) as DaemonStatus | undefined
}

/**
 * Throws what the daemon failed at since we began to wait; an older failure may be mended by now.
 * One that dies while it is asked gives no reason: the next look finds it gone.
 */
async function throwReason(paths: PrefixPaths, since: string): Promise<void> {
  const status = await askDaemon(paths).catch((error) => {
    if (!hasCode(error, 'NO_DAEMON')) throw error
    return undefined
  })
  const error = status?.mount.state === 'failed' ? status.mount.error : undefined
  if (!error || error.time < since) return
  throw new PkgError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint })
}

function notUp(paths: PrefixPaths, from: number, reason: string): PkgError {
  const said = tailLog(paths.log, 1, from).join('\n')
  return new PkgError('NO_DAEMON', `the daemon did not come up (${reason})${said && `: ${said}`}`, {
    hint: `See \`pkg doctor\` and ${paths.log}.`,
  })
}
