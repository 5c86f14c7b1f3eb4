// Who uses the mount now: processes that run from it, have its files mapped or
// open, or stand in it. Taken from them, what they have not read yet is gone:
// they die of SIGBUS or get ENOTCONN. Looks at /proc only (invariant 8).
//
// Mapped files are known by the device of the mount, which also holds in a
// container or a chroot; the rest by its path. What a mount that was taken away
// earlier left behind is neither.

import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PkgError } from '../../errors.ts'
import { isRunning, readPidFile } from '../../files/pid-file.ts'
import { mountAt } from '../../mount/mountpoint.ts'
import type { PrefixPaths } from '../../paths.ts'
import { askScanner } from '../../pins/processes.ts'

/** `program`: what the kernel calls it, at most 15 bytes (proc_pid_comm(5)). */
export type MountUser = { pid: number; program: string }

/** An error names so many; a machine may run hundreds. */
const NAMED = 8

/**
 * Processes that use the mount, but for this one and the prefix's own; those of other users only where we may look.
 * One that cannot be read in time, for it waits for a file system, may wait for this one.
 */
export async function mountUsers(paths: PrefixPaths): Promise<MountUser[]> {
  const mount = mountAt(paths.store)
  if (mount === undefined) return []
  const prefixes = [readPidFile(paths.daemonPid), readPidFile(paths.mountPid)]
  const own = [process.pid, ...prefixes.map((id) => id && isRunning(id) && id.pid)]
  const device = hexadecimal(mount.device)
  const { lines, stuck } = await askScanner({ stores: [realPathOf(paths.store)], device, proc: '/proc' })
  return lines
    .filter(({ pid, uses }) => !own.includes(pid) && (uses || stuck.some((one) => one.pid === pid)))
    .map(({ pid, name }) => ({ pid, program: name === '' ? '?' : name }))
}

/** Rejects with BUSY, naming processes and programs, while somebody uses the mount. */
export async function requireUnused(paths: PrefixPaths): Promise<void> {
  refuse(
    paths,
    await mountUsers(paths),
    'With --force it is unmounted all the same: then they may die of SIGBUS.',
  )
}

/** The same for who takes the store away, mounted or not: checkouts too have programs that run from them. */
export async function requireStoreUnused(paths: PrefixPaths): Promise<void> {
  const users = mountAt(paths.store) === undefined ? await checkoutUsers(paths) : await mountUsers(paths)
  refuse(paths, users, 'With --force it goes all the same: then they may die.')
}

/** What a process was only told of, in its environment say, it does not use. */
async function checkoutUsers({ store }: PrefixPaths): Promise<MountUser[]> {
  const { lines } = await askScanner({ stores: [realPathOf(store)], proc: '/proc' })
  return lines
    .filter(({ pid, uses, held }) => pid !== process.pid && (uses || held.some(([what]) => what === 'maps')))
    .map(({ pid, name }) => ({ pid, program: name === '' ? '?' : name }))
}

function refuse(paths: PrefixPaths, users: readonly MountUser[], force: string): void {
  if (users.length === 0) return
  const named = users.slice(0, NAMED).map(({ pid, program }) => `${program} (${pid})`)
  const more = users.length > NAMED ? ` and ${users.length - NAMED} more` : ''
  throw new PkgError('BUSY', `${paths.store} is in use by ${named.join(', ')}${more}`, {
    hint: `End them first. ${force}`,
  })
}

/** Of the directory above: the path of the store itself would be asked of the mount. */
function realPathOf(store: string): string {
  return join(realpathSync(dirname(store)), basename(store))
}

/** `0:47` of the mount table as maps has it: `00:2f`. */
function hexadecimal(device: string): string {
  return device
    .split(':')
    .map((number) => Number(number).toString(16).padStart(2, '0'))
    .join(':')
}
