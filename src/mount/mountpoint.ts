// What is at the mount point: nothing, a mount that is served, or one whose
// server is dead ("Transport endpoint is not connected").
// Keeps invariant 8: looks at /proc only, never into the mount, so that it can
// neither wait for a server nor for itself.

import { readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PkgError } from '../errors.ts'
import { runningProcess } from '../files/pid-file.ts'
import { runSystemCommand } from '../files/system-command.ts'
import type { PrefixPaths } from '../paths.ts'

/** A lazy unmount takes a millisecond; whoever needs this long is stuck. */
const UNMOUNT_MS = 10_000
/** The kernel takes a mount out of the table before umount(8) returns; other processes' copies may take a moment. */
const GONE_MS = 1000

export type MountState = 'mounted' | 'stale' | 'none'

export type MountEntry = {
  mountpoint: string
  /** 'fuse.pkg', say */
  type: string
  source: string
  /** major:minor, as /sys/class/bdi names it */
  device: string
  /** of the file system: for FUSE who mounted it, as `user_id=0`, and whether others may enter, as `allow_other` */
  options: string[]
}

/**
 * `mounted`: a FUSE mount lies on `<prefix>/store` and the mount server of the
 * pid file runs; `stale`: the mount is there, its server is not. Never blocks.
 */
export function mountState(paths: Pick<PrefixPaths, 'store' | 'mountPid'>): MountState {
  if (mountAt(paths.store) === undefined) return 'none'
  return runningProcess(paths.mountPid) === undefined ? 'stale' : 'mounted'
}

/** The FUSE mount at this path, the topmost if several are stacked. The path may lead through symlinks. */
export function mountAt(
  path: string,
  mountinfo = readFileSync('/proc/self/mountinfo', 'utf8'),
): MountEntry | undefined {
  const real = throughLinks(path)
  return parseMountinfo(mountinfo).findLast(
    (entry) => entry.mountpoint === real && /^fuse(\.|$)/.test(entry.type),
  )
}

/** Where the FUSE mount of this device lies, at all its places. */
export function mountsOf(device: string, mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  const all = parseMountinfo(mountinfo).filter(
    (entry) => entry.device === device && /^fuse(\.|$)/.test(entry.type),
  )
  return all.map(({ mountpoint }) => mountpoint)
}

/** As the kernel names it. The mount point itself, which is no symlink of ours, is not looked at: it may be stale. */
function throughLinks(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path))
  } catch {
    return path
  }
}

/** proc_pid_mountinfo(5): fields 3 and 5, and after the separator the type, the source and the options. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ')
    const [, , device, , mountpoint] = before?.split(' ') ?? []
    const [type, source, options] = after?.split(' ') ?? []
    if (!device || !mountpoint || !type) return []
    return [
      {
        device,
        mountpoint: decodeOctal(mountpoint),
        type,
        source: decodeOctal(source ?? ''),
        options: options?.split(',') ?? [],
      },
    ]
  })
}

/** Space, tab, newline and backslash are written as octal numbers; what is not ASCII is bytes of UTF-8 as they are. */
function decodeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/**
 * Takes away every FUSE mount at `path`, served or stale, also while files on it
 * are open: those keep what they have mapped. Idempotent. No shell sees the path.
 * Throws MOUNT_FAILED naming what was tried.
 */
export async function unmount(path: string): Promise<void> {
  const said: string[] = []
  for (const [command, ...args] of unmountCommands(path)) {
    if (mountAt(path) === undefined) return
    try {
      await runSystemCommand(command as string, args, { timeout: UNMOUNT_MS })
    } catch (error) {
      said.push((error as Error).message.trim())
      continue
    }
    if (await isGone(path)) return
  }
  if (mountAt(path) === undefined) return
  throw new PkgError('MOUNT_FAILED', `${path} cannot be unmounted: ${said.join('; ')}`, {
    hint: 'Only root and the user who mounted it can unmount it.',
  })
}

/** Stacked mounts need a call each, hence the repetition. Not through libfuse: that runs a shell with the path in it. */
function unmountCommands(path: string): string[][] {
  const asUser = [
    ['fusermount3', '-u', '-z', '--', path],
    ['fusermount', '-u', '-z', '--', path],
  ]
  const asRoot = ['umount', '-l', '--', path]
  const once = process.getuid?.() === 0 ? [asRoot, ...asUser] : [...asUser, asRoot]
  return [...once, ...once]
}

async function isGone(path: string): Promise<boolean> {
  for (const deadline = performance.now() + GONE_MS; performance.now() < deadline; await delay(5)) {
    if (mountAt(path) === undefined) return true
  }
  return false
}
