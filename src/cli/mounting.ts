// Programs run only while the store is mounted, or from checkouts where nothing can
// be. A command that changes a profile needs no mount, so what is in the mount's
// way is a remark there and no failure.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { readConfig } from '../config.ts'
import { hasCode, PkgError } from '../errors.ts'
import { writeFileAtomic } from '../files/atomic.ts'
import { mayWrite } from '../files/modes.ts'
import { describeMode, modeInForce, type StoreMode } from '../mount/mode.ts'
import { mountState, unmount } from '../mount/mountpoint.ts'
import type { ProfileStore } from '../profiles/profile.ts'
import type { CID } from '../store/cid.ts'
import type { Context } from './context.ts'

/** `reason`: why it is not mounted; `failed`: it was tried. */
export type MountReport = {
  mode: StoreMode
  mounted: boolean
  reason?: string
  hint?: string
  failed?: boolean
}

/**
 * Starts the daemon unless the store is mounted; says why where that cannot be. In checkout
 * mode sees to the trees of what is installed. Throws only what is unexpected.
 */
export async function tryMount(context: Context): Promise<MountReport> {
  const { paths, signal } = context
  const { mode, why } = modeInForce(paths)
  if (mode === 'checkout') {
    await checkOutCurrent(context)
    return { mode, mounted: false, reason: why }
  }
  const { ensureDaemon } = await import('../daemon/client/client.ts')
  try {
    await ensureDaemon(paths, { signal })
    return { mode, mounted: true }
  } catch (error) {
    if (!hasCode(error, 'NO_FUSE', 'MOUNT_FAILED', 'NO_DAEMON', 'PERMISSION')) throw error
    const { message: reason, hint } = error
    const failed = hasCode(error, 'MOUNT_FAILED')
    return {
      mode,
      mounted: false,
      reason,
      ...(failed && { failed }),
      ...(hint === undefined ? {} : { hint }),
    }
  }
}

/**
 * The same for who sets a prefix up: a mount that fails where everything that it needs is there is
 * no end of it. The setting is written, so that all who work here know; it shows why in `reason`.
 */
export async function mountOrFallBack(context: Context): Promise<MountReport> {
  const { paths, signal } = context
  const report = await tryMount(context)
  const isAuto = readConfig(paths)['store.mode'] === 'auto'
  if (report.failed !== true || !isAuto || mountState(paths) === 'covered' || !mayWrite(paths.root))
    return report
  const settings = existsSync(paths.config) ? JSON.parse(readFileSync(paths.config, 'utf8')) : {}
  writeFileAtomic(paths.config, `${JSON.stringify({ ...settings, 'store.mode': 'checkout' }, null, 2)}\n`)
  await uncover(paths)
  const { ensureDaemon } = await import('../daemon/client/client.ts')
  await ensureDaemon(paths, { signal })
  const { mode, mounted } = await tryMount(context)
  const reason = `mounting failed: ${report.reason}. "store.mode" in ${paths.config} says checkout now; without it the next \`pkg init\` tries again`
  return { mode, mounted, reason }
}

/** Returns when programs of this package can be started: mounted, or checked out. The caller protects it. Throws as both do. */
export async function makeRunnable(
  { paths, signal }: Pick<Context, 'paths' | 'signal'>,
  store: ProfileStore,
  cid: CID,
): Promise<void> {
  if (modeInForce(paths).mode === 'mount') {
    const { ensureDaemon } = await import('../daemon/client/client.ts')
    await ensureDaemon(paths, { signal })
    return
  }
  await uncover(paths)
  const { ensureTrees } = await import('../profiles/trees.ts')
  await ensureTrees(store, cid, { signal })
}

/**
 * In checkout mode: makes the trees of the current generation, which was seen through a
 * mount until now. A look each where they are. What is in the way is a remark.
 */
export async function checkOutCurrent(context: Context): Promise<void> {
  const { paths, signal, note } = context
  if (modeInForce(paths).mode !== 'checkout') return
  await uncover(paths)
  const [{ findCurrentGeneration }, { ensureTrees }] = await Promise.all([
    import('../profiles/profile.ts'),
    import('../profiles/trees.ts'),
  ])
  try {
    const profile = await context.readProfile()
    const current = findCurrentGeneration(profile)
    if (current) await ensureTrees(profile.store, current.cid, { signal })
  } catch (error) {
    if (signal.aborted || !(error instanceof PkgError)) throw error
    note(`What is installed has no trees to run from: ${error.message}`)
    if (error.hint !== undefined) note(`hint: ${error.hint}`)
  }
}

/** True when programs should run from the mount, and there is none. */
export function isMissing(mount: MountReport | undefined): boolean {
  return mount?.mode === 'mount' && !mount.mounted
}

/** Says on standard error that installed programs cannot run yet. */
export function noteUnmounted({ note, paths }: Pick<Context, 'note' | 'paths'>, mount: MountReport): void {
  if (!isMissing(mount)) return
  note(`Programs cannot run until ${paths.store} is mounted: ${mount.reason}`)
  note(`hint: ${mount.hint ?? 'Run `pkg doctor`.'}`)
}

/**
 * Says on standard error that what is installed cannot run now, as after a restart of the machine, and gives the
 * same for `--json`. For commands that show it and mount nothing.
 */
export function noteNotServed({ note, paths }: Pick<Context, 'note' | 'paths'>): { mount: MountReport } {
  const { mode } = describeMode(paths)
  const state = mountState(paths)
  if (mode !== 'mount' || state === 'mounted') return { mount: { mode, mounted: state === 'mounted' } }
  const what = {
    none: 'nothing is mounted there',
    stale: 'its mount server is gone',
    covered: 'something else is mounted over it',
  }[state]
  const owner = statSync(paths.root, { throwIfNoEntry: false })?.uid
  const others = owner !== undefined && owner !== process.getuid?.() && process.getuid?.() !== 0
  const who = others ? 'Have its owner run' : 'Run'
  const hint = state === 'covered' ? 'Run `pkg doctor`.' : `${who} \`pkg daemon start\`.`
  note(`What is installed cannot run from ${paths.store}: ${what}`)
  note(`hint: ${hint}`)
  return { mount: { mode, mounted: false, reason: what, hint } }
}

/** In checkout mode a mount that nobody serves any more only hides the trees. */
export async function uncover(paths: Context['paths']): Promise<void> {
  if (mountState(paths) === 'stale') await unmount(paths.store)
}
