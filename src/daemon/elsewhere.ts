// A daemon or mount server in another pid namespace, as where containers share a prefix:
// its pid means nothing here, and it gets no signal from here. Whether it lives shows at
// its socket alone. There is one daemon a prefix, and while that one or its mount server
// lives elsewhere nobody starts or stops one here.

import { rmSync } from 'node:fs'
import { PkgError } from '../errors.ts'
import { isElsewhere, type ProcessId, readPidFile } from '../files/pid-file.ts'
import { isListening } from '../files/socket.ts'
import { storeMode } from '../mount/mode.ts'
import { mountState } from '../mount/mountpoint.ts'
import type { PrefixPaths } from '../paths.ts'

type Job = { what: string; pidFile: string; socket: string }

export type Elsewhere = ProcessId & Pick<Job, 'what'>

const jobs = (paths: PrefixPaths): Job[] => [
  { what: 'a daemon', pidFile: paths.daemonPid, socket: paths.daemonSocket },
  { what: 'a mount server', pidFile: paths.mountPid, socket: paths.mountSocket },
]

/** The daemon of this prefix, or else its mount server, if it lives in another pid namespace. */
export async function findElsewhere(paths: PrefixPaths): Promise<Elsewhere | undefined> {
  for (const { what, pidFile, socket } of jobs(paths)) {
    const named = readPidFile(pidFile)
    if (named && isElsewhere(named) && (await isListening(socket))) return { ...named, what }
  }
  return undefined
}

/** Removes the pid files of those that died elsewhere: otherwise they count as alive. For who sees to it that none starts meanwhile. */
export async function forgetDeadElsewhere(paths: PrefixPaths): Promise<void> {
  for (const { pidFile, socket } of jobs(paths)) {
    const named = readPidFile(pidFile)
    if (named && isElsewhere(named) && !(await isListening(socket))) rmSync(pidFile, { force: true })
  }
}

/** `a daemon runs for /ipfs already, in another pid namespace (process 7 there)` */
export function describeElsewhere({ root }: Pick<PrefixPaths, 'root'>, { what, pid }: Elsewhere): string {
  return `${what} runs for ${root} already, in another pid namespace (process ${pid} there)`
}

/** True where the programs of this prefix run by it. Throws NO_DAEMON where it mounts what is not seen here. */
export async function isServedElsewhere(paths: PrefixPaths): Promise<boolean> {
  const other = await findElsewhere(paths)
  if (other === undefined) return false
  if (storeMode(paths) === 'checkout' || mountState(paths) === 'mounted') return true
  throw new PkgError('NO_DAEMON', `${describeElsewhere(paths, other)}, and its mount is not seen here`, {
    hint: 'Stop it there, or set "store.mode" to "checkout" where it runs.',
  })
}

/** Throws BUSY where nobody can start one here. */
export async function requireStartable(paths: PrefixPaths): Promise<void> {
  const other = await findElsewhere(paths)
  if (other === undefined) return
  throw new PkgError('BUSY', describeElsewhere(paths, other), {
    hint: 'Use that one, or stop it there first.',
  })
}

/** Throws PERMISSION where it would have to be ended there. */
export async function requireNoneElsewhere(paths: PrefixPaths): Promise<void> {
  const other = await findElsewhere(paths)
  if (other === undefined) return
  throw new PkgError('PERMISSION', `${describeElsewhere(paths, other)}: no signal reaches it from here`, {
    hint: 'Run `pkg daemon stop` there: in the container, or on the machine, where it was started.',
  })
}
