// A daemon or mount server in another pid namespace, as where containers share a prefix:
// its pid means nothing here, and it gets no signal from here. Whether it lives shows at
// its socket alone. There is one daemon a prefix, and while that one or its mount server
// lives elsewhere nobody starts or stops one here. Neither where a mount server of this pid
// namespace mounts in another mount namespace (mount_namespaces(7): `unshare --mount`, systemd's
// PrivateMounts) what is not seen here: its programs run there.

import { readlinkSync, rmSync } from 'node:fs'
import { isErrno, PkgError } from '../errors.ts'
import { isElsewhere, type ProcessId, readPidFile, runningHere } from '../files/pid-file.ts'
import { isListening } from '../files/socket.ts'
import { storeMode } from '../mount/mode.ts'
import { mountState } from '../mount/mountpoint.ts'
import type { PrefixPaths } from '../paths.ts'

type Job = { what: string; pidFile: string; socket: string }

/** `apart`: the kind of namespace that is another one. */
export type Elsewhere = ProcessId & Pick<Job, 'what'> & { apart: 'pid' | 'mount' }

const jobs = (paths: PrefixPaths): Job[] => [
  { what: 'a daemon', pidFile: paths.daemonPid, socket: paths.daemonSocket },
  { what: 'a mount server', pidFile: paths.mountPid, socket: paths.mountSocket },
]

/** The daemon of this prefix, or else its mount server, if it lives in another pid namespace, or mounts where it is not seen here. */
export async function findElsewhere(paths: PrefixPaths): Promise<Elsewhere | undefined> {
  for (const { what, pidFile, socket } of jobs(paths)) {
    const named = readPidFile(pidFile)
    if (named && isElsewhere(named) && (await isListening(socket))) return { ...named, what, apart: 'pid' }
  }
  const server = runningHere(paths.mountPid)
  if (server === undefined || mountState(paths) === 'mounted' || !mountsApart(server)) return undefined
  return { ...server, what: 'a mount server', apart: 'mount' }
}

/** False also where this user may not look. */
function mountsApart({ pid }: ProcessId): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt')
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ENOENT', 'ESRCH')) return false
    throw error
  }
}

/** Removes the pid files of those that died elsewhere: otherwise they count as alive. For who sees to it that none starts meanwhile. */
export async function forgetDeadElsewhere(paths: PrefixPaths): Promise<void> {
  for (const { pidFile, socket } of jobs(paths)) {
    const named = readPidFile(pidFile)
    if (named && isElsewhere(named) && !(await isListening(socket))) rmSync(pidFile, { force: true })
  }
}

/** `a daemon runs for /ipfs already, in another pid namespace (process 7 there)` */
export function describeElsewhere({ root }: Pick<PrefixPaths, 'root'>, one: Elsewhere): string {
  const { what, pid, apart } = one
  return `${what} runs for ${root} already, in another ${apart} namespace (process ${pid}${apart === 'pid' ? ' there' : ''})`
}

/** What to do where its mount is needed here. */
export function wayOut({ apart, pid }: Elsewhere): string {
  return apart === 'pid'
    ? 'Stop it there, or set "store.mode" to "checkout" where it runs.'
    : `Its programs run in that namespace only (unshare --mount, PrivateMounts=). Enter it: \`nsenter --mount --target ${pid}\`; or end it from here, with the programs there: \`pkg daemon stop --force\`, then \`pkg daemon start\`.`
}

/** True where the programs of this prefix run by it. Throws NO_DAEMON where it mounts what is not seen here. */
export async function isServedElsewhere(paths: PrefixPaths): Promise<boolean> {
  const other = await findElsewhere(paths)
  if (other === undefined) return false
  if (storeMode(paths) === 'checkout' || mountState(paths) === 'mounted') return true
  throw new PkgError('NO_DAEMON', `${describeElsewhere(paths, other)}, and its mount is not seen here`, {
    hint: wayOut(other),
  })
}

/** Throws BUSY where nobody can start one here. */
export async function requireStartable(paths: PrefixPaths): Promise<void> {
  const other = await findElsewhere(paths)
  if (other === undefined) return
  throw new PkgError('BUSY', describeElsewhere(paths, other), {
    hint: other.apart === 'pid' ? 'Use that one, or stop it there first.' : wayOut(other),
  })
}

/** Throws PERMISSION where it would have to be ended there, BUSY where it can be ended from here and programs there would die, unless `force`. */
export async function requireNoneElsewhere(paths: PrefixPaths, { force = false } = {}): Promise<void> {
  const other = await findElsewhere(paths)
  if (other === undefined || (force && other.apart === 'mount')) return
  if (other.apart === 'mount') {
    throw new PkgError('BUSY', describeElsewhere(paths, other), { hint: wayOut(other) })
  }
  throw new PkgError('PERMISSION', `${describeElsewhere(paths, other)}: no signal reaches it from here`, {
    hint: 'Run `pkg daemon stop` there: in the container, or on the machine, where it was started.',
  })
}
