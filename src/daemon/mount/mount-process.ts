// The mount server as a process: found, started and stopped, by whoever is
// there: the daemon in its normal course, `pkg daemon stop` after the daemon was
// killed. Nothing here looks into the mount (invariant 8).

import { spawn } from 'node:child_process'
import { closeSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { PkgError } from '../../errors.ts'
import { isElsewhere, isRunning, type ProcessId, runningProcess } from '../../files/pid-file.ts'
import { processOwner } from '../../files/process-id.ts'
import { mountServerCommand } from '../../mount/launch.ts'
import { mountState, requireUncovered, unmount } from '../../mount/mountpoint.ts'
import { fuseObstacle } from '../../mount/requirements.ts'
import type { PrefixPaths } from '../../paths.ts'
import { askSocket } from '../http.ts'
import { logSize, openLogFile, tailLog } from '../log.ts'

/** Milliseconds that a mount server may take to serve: it takes 150 where nothing else runs. */
const START_MS = 15_000

/** How many servers may be killed while they start before that counts as a failure. */
const START_TRIES = 4

/** Milliseconds for a clean end (flush nothing, unmount, exit), and then for a kill to work. */
const STOP_MS = 5000
const KILL_MS = 2000

/** Pause between two looks at something that takes some 100 ms. */
const LOOK_MS = 20

/** Milliseconds for its answer: who asks the daemon, which asks it, waits 2 s (daemon/http.ts). */
const ANSWER_MS = 1000

/** What the mount server says of itself, or undefined when none answers. */
export async function mountServerStatus(paths: PrefixPaths): Promise<unknown> {
  try {
    return await askSocket(paths.mountSocket, '/status', { timeoutMs: ANSWER_MS })
  } catch {
    // Stopped, or its socket closed to this user: its pid file tells whether it lives.
    return undefined
  }
}

/** The mount server that serves this prefix now: alive, and its mount in place. Looks at /proc only. */
export function servingProcess(paths: PrefixPaths): ProcessId | undefined {
  const server = runningProcess(paths.mountPid)
  return server && mountState(paths) === 'mounted' ? server : undefined
}

export type StartOptions = { signal?: AbortSignal; replace?: boolean; tries?: number }

/** `exit` settles when the server ends, with how; undefined when it is no child of ours. */
export type StartedServer = { server: ProcessId; exit?: Promise<string> }

/**
 * Starts a mount server that outlives this process, and returns when it serves.
 * The server itself takes a stale mount away, under its lock. One that finds
 * another already serving gives way, and the other is returned. Throws NO_FUSE
 * when the machine lacks something, MOUNT_FAILED with what the server said. With
 * `replace` the one that serves gives way; unless somebody uses the mount: then it
 * is the one returned.
 */
export async function startMountServer(
  paths: PrefixPaths,
  { signal, replace = false, tries = START_TRIES }: StartOptions = {},
): Promise<StartedServer> {
  requireFuse()
  const from = logSize(paths.log)
  const child = spawnServer(paths, replace)
  const exit = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, name) => resolve(name ? `killed by ${name}` : `exit status ${code}`))
  })
  const deadline = performance.now() + START_MS
  let ended: string | undefined
  while (ended === undefined) {
    const server = servingProcess(paths)
    if (server && server.pid === child.pid) return { server, exit }
    if (signal?.aborted || performance.now() >= deadline) child.kill('SIGKILL')
    ended = await Promise.race([exit, delay(LOOK_MS, undefined)])
  }
  signal?.throwIfAborted()
  const other = servingProcess(paths)
  if (other) return { server: other }
  // Killed by somebody: that says nothing about the machine.
  if (child.signalCode && performance.now() < deadline && tries > 1) {
    return await startMountServer(paths, { ...(signal && { signal }), replace, tries: tries - 1 })
  }
  const said = tailLog(paths.log, 3, from).join('\n') || 'it said nothing'
  throw new PkgError('MOUNT_FAILED', `the mount server did not start (${ended}): ${said}`, {
    hint: `See \`pkg doctor\` and ${paths.log}.`,
  })
}

/**
 * Ends the mount server and takes the mount away: asks, then kills. Idempotent;
 * does what is left to do when the server is dead already. Throws BUSY where another mount lies over ours.
 */
export async function stopMountServer(paths: PrefixPaths): Promise<void> {
  requireUncovered(paths)
  const server = runningProcess(paths.mountPid)
  if (server && !(await endProcess(server, STOP_MS))) {
    process.kill(server.pid, 'SIGKILL')
    await ended(server, KILL_MS)
  }
  await clearMountPoint(paths)
  for (const file of [paths.mountPid, paths.mountSocket]) rmSync(file, { force: true })
}

/** Sends SIGTERM, or another signal, and waits; false when the process still runs after `waitMs`. Throws PERMISSION. */
export async function endProcess(
  target: ProcessId,
  waitMs: number,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<boolean> {
  if (isElsewhere(target)) {
    throw new PkgError('PERMISSION', `process ${target.pid} is one of another pid namespace`, {
      hint: 'End it there.',
    })
  }
  if (!isRunning(target)) return true
  try {
    process.kill(target.pid, signal)
  } catch (cause) {
    if (!isRunning(target)) return true
    const owner = processOwner(target.pid)
    const hint = owner ? `Only root and its owner (uid ${owner}) can stop it.` : 'Only root can stop it.'
    throw new PkgError('PERMISSION', `process ${target.pid} belongs to another user`, { hint, cause })
  }
  return await ended(target, waitMs)
}

async function ended(target: ProcessId, waitMs: number): Promise<boolean> {
  for (const deadline = performance.now() + waitMs; isRunning(target); await delay(LOOK_MS)) {
    if (performance.now() >= deadline) return false
  }
  return true
}

function requireFuse(): void {
  const missing = fuseObstacle()
  if (!missing) return
  const hint = missing.hint === undefined ? {} : { hint: missing.hint }
  throw new PkgError('NO_FUSE', `this machine cannot mount: ${missing.detail}`, hint)
}

async function clearMountPoint(paths: PrefixPaths): Promise<void> {
  if (mountState(paths) !== 'none') await unmount(paths.store)
}

function spawnServer(paths: PrefixPaths, replace: boolean) {
  const { command, args, env } = mountServerCommand(paths)
  const log = openLogFile(paths.log)
  try {
    // A session of its own, and no directory held: it must outlive us, and let file systems go.
    const child = spawn(command, replace ? [...args, '--replace'] : args, {
      env,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    })
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}
