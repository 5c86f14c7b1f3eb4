// The options that the kernel and libfuse are given at mounting.

import { mayAllowOther } from './launch.ts'

/**
 * Seconds for which the kernel may believe what it was told (invariant 6). A
 * year; what a name below a CID means never changes, nor that there is none. A root
 * may arrive at any time: see forget-name.ts.
 */
const FOR_EVER = 31_536_000

/**
 * Requests that the kernel may have under way by itself, as for read-ahead: 8 of
 * 128 KiB are the 1 MiB that we let it read ahead. Its default of 12 needs more
 * than the 10 idle threads that libfuse keeps, and each further one leaves a
 * record behind for ever (native-notes/libfuse.md).
 */
const MAX_BACKGROUND = 8

/** `fuse.pkg` in /proc/mounts. */
export const SUBTYPE = 'pkg'

export function mountOptions(): string[] {
  return [
    'ro',
    'nosuid',
    'nodev',
    'default_permissions',
    'kernel_cache',
    `max_background=${MAX_BACKGROUND}`,
    `entry_timeout=${FOR_EVER}`,
    `attr_timeout=${FOR_EVER}`,
    `negative_timeout=${FOR_EVER}`,
    'fsname=ipfs',
    `subtype=${SUBTYPE}`,
    // libfuse fills in the owner: the binding's way of giving exact times has no room for it.
    `uid=${process.getuid?.() ?? 0}`,
    `gid=${process.getgid?.() ?? 0}`,
    ...(mayAllowOther() ? ['allow_other'] : []),
    // Checkouts may lie there; the mount hides them. libfuse 2 asks for this word, fusermount 3 passes over it.
    'nonempty',
  ]
}
