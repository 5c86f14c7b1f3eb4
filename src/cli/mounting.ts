// Programs run only while the store is mounted. A command that changes a profile
// needs no mount, so what is in the mount's way is a remark there and no failure.

import { hasCode } from '../errors.ts'
import type { Context } from './context.ts'

export type MountReport = { mounted: boolean; reason?: string; hint?: string }

/** Starts the daemon unless the store is mounted; says why where that cannot be. Throws only what is unexpected. */
export async function tryMount({ paths, signal }: Pick<Context, 'paths' | 'signal'>): Promise<MountReport> {
  const { ensureDaemon } = await import('../daemon/client.ts')
  try {
    await ensureDaemon(paths, { signal })
    return { mounted: true }
  } catch (error) {
    if (!hasCode(error, 'NO_FUSE', 'MOUNT_FAILED', 'NO_DAEMON', 'PERMISSION')) throw error
    const { message: reason, hint } = error
    return { mounted: false, reason, ...(hint === undefined ? {} : { hint }) }
  }
}

/** Says on standard error that installed programs cannot run yet. */
export function noteUnmounted({ note, paths }: Pick<Context, 'note' | 'paths'>, mount: MountReport): void {
  if (mount.mounted) return
  note(`Programs cannot run until ${paths.store} is mounted: ${mount.reason}`)
  note(`hint: ${mount.hint ?? 'Run `pkg doctor`.'}`)
}
