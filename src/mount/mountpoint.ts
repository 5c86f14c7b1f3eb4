// What is at the mount point: nothing, a mount that is served, or one whose
// server is dead ("Transport endpoint is not connected"); or ours with somebody
// else's over it. What counts is what one sees at the path: entries of the mount
// table may be hidden by others. Only a mount of ours is ever taken away.
// Keeps invariant 8: looks at /proc only, never into the mount, so that it can
// neither wait for a server nor for itself.

import { readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PkgError } from '../errors.ts'
import { runningProcess } from '../files/pid-file.ts'
import { runSystemCommand } from '../files/system-command.ts'
import { type PrefixPaths, shellWord } from '../paths.ts'
import { SUBTYPE } from './options.ts'

/** A lazy unmount takes a millisecond; whoever needs this long is stuck. */
const UNMOUNT_MS = 10_000
/** The kernel takes a mount out of the table before umount(8) returns; other processes' copies may take a moment. */
const GONE_MS = 1000

export type MountState = 'mounted' | 'stale' | 'covered' | 'none'

export type MountEntry = {
  /** of the mount, and of the one that it lies in or on */
  id: string
  parent: string
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
 * `mounted`: our mount lies on `<prefix>/store` and the mount server of the pid file
 * runs; `stale`: the mount is there, its server is not; `covered`: another mount lies
 * over it. Never blocks.
 */
export function mountState(paths: Pick<PrefixPaths, 'store' | 'mountPid'>): MountState {
  const table = readMountTable()
  if (coverAt(paths.store, table)) return 'covered'
  if (mountAt(paths.store, table) === undefined) return 'none'
  return runningProcess(paths.mountPid) === undefined ? 'stale' : 'mounted'
}

/** Our mount, where that is what one sees at this path. The path may lead through symlinks. */
export function mountAt(path: string, mountinfo = readMountTable()): MountEntry | undefined {
  const seen = seenAt(throughLinks(path), parseMountinfo(mountinfo))
  return seen && isOurs(seen) ? seen : undefined
}

/** The mount that somebody put over ours at this path; undefined: none. */
export function coverAt(path: string, mountinfo = readMountTable()): MountEntry | undefined {
  const seen = seenAt(throughLinks(path), parseMountinfo(mountinfo))
  return seen && !isOurs(seen) && hasMount(path, mountinfo) ? seen : undefined
}

/** True when a mount of ours is at this path, seen or hidden. */
export function hasMount(path: string, mountinfo = readMountTable()): boolean {
  const real = throughLinks(path)
  return parseMountinfo(mountinfo).some((entry) => entry.mountpoint === real && isOurs(entry))
}

/** Throws `code` naming the mount that lies over ours: whoever put it there takes it away, nobody else. */
export function requireUncovered(
  { store }: Pick<PrefixPaths, 'store'>,
  code: 'BUSY' | 'MOUNT_FAILED' = 'BUSY',
): void {
  const cover = coverAt(store)
  if (cover === undefined) return
  throw new PkgError(code, `something else is mounted over ${store}: ${cover.type} of ${cover.source}`, {
    hint: `It is not ours to take away. Whoever put it there does: \`umount ${shellWord(store)}\`.`,
  })
}

function readMountTable(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}

function isOurs({ type }: MountEntry): boolean {
  return type === `fuse.${SUBTYPE}`
}

/**
 * The topmost mount at `path`, unless a directory above it has been mounted over. Follows the
 * mounts from the root downwards as a look-up does: one lies over another by having it as parent.
 */
function seenAt(path: string, table: readonly MountEntry[]): MountEntry | undefined {
  const ids = new Set(table.map(({ id }) => id))
  const root = table.find(({ id, parent, mountpoint }) => {
    return mountpoint === '/' && (parent === id || !ids.has(parent))
  })
  // In a chroot the mount that everything lies in is not in the table: then the latest is the topmost.
  if (root === undefined) return table.findLast(({ mountpoint }) => mountpoint === path)
  let seen = root
  for (const place of ['/', ...placesTo(path)]) {
    for (let next: MountEntry | undefined = seen; next; ) {
      seen = next
      next = table.find(
        ({ id, parent, mountpoint }) => parent === seen.id && id !== seen.id && mountpoint === place,
      )
    }
  }
  return seen.mountpoint === path ? seen : undefined
}

/** `/a/b`: `/a`, `/a/b` */
function placesTo(path: string): string[] {
  const parts = path.split('/').slice(1)
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}

/** Where the FUSE mount of this device lies, at all its places. */
export function mountsOf(device: string, mountinfo = readMountTable()): string[] {
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

/** proc_pid_mountinfo(5): fields 1, 2, 3 and 5, and after the separator the type, the source and the options. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ')
    const [id, parent, device, , mountpoint] = before?.split(' ') ?? []
    const [type, source, options] = after?.split(' ') ?? []
    if (!id || !parent || !device || !mountpoint || !type) return []
    return [
      {
        id,
        parent,
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
 * Takes away every mount of ours at `path` down to somebody else's, served or stale, also while files on it
 * are open: those keep what they have mapped. Idempotent. No shell sees the path.
 * Throws MOUNT_FAILED naming what was tried, BUSY where another mount lies over ours.
 */
export async function unmount(path: string): Promise<void> {
  requireUncovered({ store: path })
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
  requireUncovered({ store: path })
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
