// Which file system a path lies on, by the kernel's mount table (proc_pid_mountinfo(5)).
// Read-only, and never asks the file systems themselves: one of them may hang.

import { readFileSync } from 'node:fs'

/** What stays the same when the same file system is mounted at the same place again. */
export type Mount = { point: string; type: string; source: string }

/**
 * A line of the table: `root` is the directory of the file system that is mounted
 * there, `user` the uid of who answers for it, of a FUSE mount.
 */
export type MountLine = Mount & { root: string; user?: number }

export function readMounts(file = '/proc/self/mountinfo'): MountLine[] {
  return readFileSync(file, 'latin1').split('\n').flatMap(parseLine)
}

/** The mount that holds the absolute, physical `path`. Of several at one point the last one covers the others. */
export function mountOf(path: string, mounts: readonly MountLine[]): Mount | undefined {
  let best: MountLine | undefined
  for (const mount of mounts) {
    const below = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`)
    if (below && mount.point.length >= (best?.point.length ?? 0)) best = mount
  }
  return best && { point: best.point, type: best.type, source: best.source }
}

/** Mount points that did not answer this process. */
const hung = new Set<string>()

/** Says that what is mounted there does not answer: nobody in this process goes there again (hung-mounts.ts). */
export function noteHung(point: string): void {
  hung.add(point)
}

/** Why a path on one of the mount points to avoid is not looked at. */
export function whyAvoided(path: string): 'ETIMEDOUT' | 'EACCES' {
  return isOnAny([...hung], path) ? 'ETIMEDOUT' : 'EACCES'
}

/**
 * Mount points to which nobody of ours goes: those whose file systems are answered for by
 * another user's program (by default the kernel would refuse it, no `allow_other`, and
 * where it does not, that program may let us wait for ever), and those that did not answer.
 */
export function mountsToAvoid(mounts: readonly MountLine[]): string[] {
  const own = process.geteuid?.()
  return mounts.flatMap(({ point, user = 0 }) =>
    (user === 0 || user === own) && !hung.has(point) ? [] : [point],
  )
}

/** True when the physical path is one of these mount points or lies below one. */
export function isOnAny(points: readonly string[], path: string): boolean {
  return points.some((point) => path === point || path.startsWith(`${point}/`))
}

/** True when that very file system is what one finds at its mount point now. */
export function isMounted(mount: Mount, mounts: readonly MountLine[]): boolean {
  const now = mountOf(mount.point, mounts)
  return now?.point === mount.point && now.type === mount.type && now.source === mount.source
}

function parseLine(line: string): MountLine[] {
  const [before, after] = line.split(' - ')
  const [, , , root, point] = before?.split(' ') ?? []
  const [type, source, options = ''] = after?.split(' ') ?? []
  if (root === undefined || point === undefined || type === undefined) return []
  const user = /(?:^|,)user_id=(\d+)/.exec(options)?.[1]
  const mount = {
    root: decodeOctal(root),
    point: decodeOctal(point),
    type,
    source: decodeOctal(source ?? ''),
  }
  return [{ ...mount, ...(user !== undefined && /^fuse/.test(type) && { user: Number(user) }) }]
}

/** Space, tab, newline and backslash stand as three octal digits; the bytes are UTF-8. */
function decodeOctal(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
