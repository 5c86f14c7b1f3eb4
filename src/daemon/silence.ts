// A process of ours that is there and answers nobody: stopped by a signal, a debugger or
// a frozen container, or at its wits' end. Programs and commands then wait for it.

import { PkgError } from '../errors.ts'
import { runningHere } from '../files/pid-file.ts'
import { isStopped } from '../files/process-id.ts'
import type { Check } from '../mount/requirements.ts'
import type { PrefixPaths } from '../paths.ts'
import { askSocket } from './http.ts'

type Silence = { detail: string; hint: string }

/** How the process with this pid is silent, and what helps. */
export function describeSilence(pid: number): Silence {
  if (isStopped(pid)) return { detail: `process ${pid} is stopped`, hint: `Let it go on: kill -CONT ${pid}` }
  const hint = 'Look again in a moment; if it stays so, `pkg daemon stop` ends it.'
  return { detail: `process ${pid} does not answer`, hint }
}

/** NO_DAEMON of a daemon that runs. */
export function silentDaemon({ root }: Pick<PrefixPaths, 'root'>, pid: number, cause: unknown): PkgError {
  const { detail, hint } = describeSilence(pid)
  return new PkgError('NO_DAEMON', `the daemon of ${root} does not answer: ${detail}`, { hint, cause })
}

/** A finding where the server of what is mounted answers nobody: whoever looks into the store hangs. */
export async function silenceCheck(
  paths: Pick<PrefixPaths, 'store' | 'mountPid' | 'mountSocket'>,
): Promise<Check | undefined> {
  const server = runningHere(paths.mountPid)
  if (server === undefined || (!isStopped(server.pid) && (await answers(paths.mountSocket)))) return undefined
  const { detail, hint } = describeSilence(server.pid)
  return { name: 'mount', ok: false, detail: `${paths.store} is mounted, and programs hang: ${detail}`, hint }
}

async function answers(socket: string): Promise<boolean> {
  try {
    return (await askSocket(socket, '/status')) !== undefined
  } catch (error) {
    // Closed to this user: nothing is known.
    return !(error instanceof PkgError)
  }
}
