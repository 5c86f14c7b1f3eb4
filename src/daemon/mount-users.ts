// Who uses the mount now: processes that run from it, have its files mapped or
// open, or stand in it. Taken from them, what they have not read yet is gone:
// they die of SIGBUS or get ENOTCONN. Looks at /proc only (invariant 8).
//
// Mapped files are known by the device of the mount, which also holds in a
// container or a chroot; the rest by its path. What a mount that was taken away
// earlier left behind is neither.

import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { isRunning, readPidFile } from '../files/pid-file.ts'
import { mountAt } from '../mount/mountpoint.ts'
import type { PrefixPaths } from '../paths.ts'

/** `program`: what the kernel calls it, at most 15 bytes (proc_pid_comm(5)). */
export type MountUser = { pid: number; program: string }

/** An error names so many; a machine may run hundreds. */
const NAMED = 8

/** Processes that use the mount, but for this one and the prefix's own; those of other users only where we may look. */
export function mountUsers(paths: PrefixPaths): MountUser[] {
  const mount = mountAt(paths.store)
  if (mount === undefined) return []
  const prefixes = [readPidFile(paths.daemonPid), readPidFile(paths.mountPid)]
  const own = [process.pid, ...prefixes.map((id) => id && isRunning(id) && id.pid)]
  // Not the path of the store itself: it would be asked of the mount.
  const store = join(realpathSync(dirname(paths.store)), basename(paths.store))
  const device = hexadecimal(mount.device)
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  return pids
    .filter((pid) => !own.includes(pid) && (mapsDevice(pid, device) || holdsPath(pid, store)))
    .map((pid) => ({ pid, program: look(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? '?' }))
}

/** Throws BUSY, naming processes and programs, while somebody uses the mount. */
export function requireUnused(paths: PrefixPaths): void {
  const users = mountUsers(paths)
  if (users.length === 0) return
  const named = users.slice(0, NAMED).map(({ pid, program }) => `${program} (${pid})`)
  const more = users.length > NAMED ? ` and ${users.length - NAMED} more` : ''
  throw new PkgError('BUSY', `${paths.store} is in use by ${named.join(', ')}${more}`, {
    hint: 'End them first. With --force it is unmounted all the same: then they may die of SIGBUS.',
  })
}

/** Field 4 of a line of maps is the device, as two hexadecimal numbers (proc_pid_maps(5)). */
function mapsDevice(pid: number, device: string): boolean {
  const maps = look(() => readFileSync(`/proc/${pid}/maps`, 'latin1')) ?? ''
  return maps.includes(` ${device} `)
}

function holdsPath(pid: number, store: string): boolean {
  const fds = look(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  return ['exe', 'cwd', 'root', ...fds.map((fd) => `fd/${fd}`)].some((link) => {
    const path = look(() => readlinkSync(`/proc/${pid}/${link}`))
    return path === store || path?.startsWith(`${store}/`)
  })
}

/** `0:47` of the mount table as maps has it: `00:2f`. */
function hexadecimal(device: string): string {
  return device
    .split(':')
    .map((number) => Number(number).toString(16).padStart(2, '0'))
    .join(':')
}

/** Undefined for a process that ended, one that we may not look at, and what a kernel thread lacks. */
function look<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EINVAL', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}
