// A directory by its descriptor: it stays the one that it was, whatever others
// rename or put in its place meanwhile, and what is made in it is made nowhere else
// (invariant 7). Node has no openat(2); /proc leads to what a descriptor holds.

import { closeSync, constants, futimesSync, openSync } from 'node:fs'
import { isErrno, PkgError } from '../errors.ts'

export class HeldDirectory {
  readonly #fd: number
  #closed = false

  /** `followLinks`: for one that the user named; else a link in its place is refused. Throws CHANGED, and what open(2) does. */
  constructor(path: string, { followLinks = false }: { followLinks?: boolean } = {}) {
    const noLinks = followLinks ? 0 : constants.O_NOFOLLOW
    try {
      this.#fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | noLinks)
    } catch (cause) {
      if (followLinks || !isErrno(cause, 'ELOOP', 'ENOTDIR', 'ENOENT')) throw cause
      throw new PkgError('CHANGED', 'a directory was replaced while it was written', { cause })
    }
  }

  /** A path to an entry. Its last component is the caller's: make it so that no link is followed there. */
  at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`
  }

  setTime(time: number | Date): void {
    futimesSync(this.#fd, time, time)
  }

  /** Idempotent. */
  close(): void {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }
}
