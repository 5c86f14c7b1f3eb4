// How far the kernel reads ahead on the mount. libfuse can only lower it; the
// knob in sysfs raises it, for root. See native-notes/kernel-caches.md.

import { writeFileSync } from 'node:fs'
import { isErrno } from '../errors.ts'
import { mountAt } from './mountpoint.ts'

/** Sets it and gives what is in force now: undefined when we may not set it, and the kernel's own default stays. */
export function raiseReadAhead(mountpoint: string, kib: number): number | undefined {
  const mount = mountAt(mountpoint)
  if (mount === undefined) return undefined
  try {
    writeFileSync(`/sys/class/bdi/${mount.device}/read_ahead_kb`, String(kib))
    return kib
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'EINVAL')) return undefined
    throw error
  }
}
