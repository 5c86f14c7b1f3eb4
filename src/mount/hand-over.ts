// Replacing a mount server by another one, of newer software say, while nobody
// uses the mount. Who decides that is the kernel: an unmount that is not lazy fails
// while any process has a file open or mapped, or stands in the mount; also those
// that we may not look at. So no running program loses a page.
//
// The new server is ready before it asks; the old one unmounts, answers, and the
// new one mounts: a program that is started in these moments (some 20 ms) is not
// found. What other mount namespaces see of the old mount it serves until they are
// done: it ends when the kernel has closed its connection.

import { setTimeout as delay } from 'node:timers/promises'
import { PkgError } from '../errors.ts'
import { askUnix } from '../files/ask-unix.ts'
import { runSystemCommand } from '../files/system-command.ts'
import type { PrefixPaths } from '../paths.ts'
import { fuseDevice } from './forget-name.ts'
import { mountAt, mountsOf } from './mountpoint.ts'

/** An unmount that fails because of users takes milliseconds; one that works, too. */
const UNMOUNT_MS = 10_000
/** How often we look whether the kernel has let go of us. Milliseconds. */
const LOOK_MS = 100

/**
 * Takes the mount away if nobody uses it, and says whether it did. A bind mount of
 * it elsewhere counts as a user.
 */
export async function unmountUnused(path: string): Promise<boolean> {
  const mount = mountAt(path)
  if (mount === undefined || mountsOf(mount.device).length > 1) return false
  const asUser = ['fusermount3', 'fusermount'].map((command) => [command, '-u', '--', path])
  for (const [command, ...args] of process.getuid?.() === 0 ? [['umount', '--', path]] : asUser) {
    try {
      await runSystemCommand(command as string, args, { timeout: UNMOUNT_MS })
      return true
    } catch {
      // In use, or this helper is not there: what counts is whether the mount is.
    }
  }
  return mountAt(path) === undefined
}

/** Returns when the kernel has closed the connection: no namespace has the mount any more. */
export async function untilDisconnected(): Promise<void> {
  while (isConnected()) await delay(LOOK_MS)
}

/** Whether the mount is there, in any namespace: libfuse closes its device when the kernel says that the last one is gone. */
export function isConnected(): boolean {
  return fuseDevice() !== undefined
}

/** Has the server that serves now give way. Throws BUSY when somebody uses the mount, or it knows no hand-over. */
export async function takeOver(paths: Pick<PrefixPaths, 'mountSocket' | 'store'>): Promise<void> {
  const status = await askUnix(paths.mountSocket, 'POST', '/hand-over', UNMOUNT_MS)
  if (status === 200 && mountAt(paths.store) === undefined) return
  throw new PkgError('BUSY', `${paths.store} is in use: its server goes on`)
}
