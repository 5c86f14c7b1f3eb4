// Which imports the daemon lets in. Every user of the machine may connect to
// root's daemon: no number of uploads, stalled or endless ones among them, may
// take its memory, or the disk that everybody lives on.

import { statfsSync } from 'node:fs'
import { PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'

/** Imports at once: each one hashes and writes, and more of them than disks and cores make all of them slower. */
const MAX_IMPORTS = 4

/** Bytes of one import that wait in memory: much while it is alone, little while others are under way too. */
const ALONE_BYTES = 8 * 1024 * 1024
const CROWDED_BYTES = 1024 * 1024

/** What an import leaves free, as ext4 does for root: a part of the file system, in bytes at least so much. */
const FREE_PART = 0.05
const FREE_BYTES = 256 * 1024 * 1024

/** Bytes that are taken in between two looks at the free space. */
const LOOK_BYTES = 16 * 1024 * 1024

export type Admitted = {
  /** bytes of blocks that may wait in memory now */
  memoryBytes(): number
  /** Call it with the bytes that came, or were stored, so far, as often as you like. Throws NO_SPACE. */
  checkSpace(bytes: number): void
  /** Lets the next one in. Idempotent. */
  leave(): void
}

export class Admission {
  readonly #paths: Pick<PrefixPaths, 'root' | 'blocks'>
  readonly #running = new Set<Admitted>()

  constructor(paths: Pick<PrefixPaths, 'root' | 'blocks'>) {
    this.#paths = paths
  }

  /** Lets an import in. Throws BUSY when too many are under way, NO_SPACE when too little is free. */
  enter(): Admitted {
    if (this.#running.size >= MAX_IMPORTS) {
      throw new PkgError('BUSY', `${MAX_IMPORTS} imports are under way: no more are taken at once`, {
        hint: 'Try again when one is done.',
      })
    }
    requireSpace(this.#paths)
    let looked = 0
    const admitted: Admitted = {
      memoryBytes: () => (this.#running.size > 1 ? CROWDED_BYTES : ALONE_BYTES),
      checkSpace: (bytes) => {
        if (Math.abs(bytes - looked) < LOOK_BYTES) return
        looked = bytes
        requireSpace(this.#paths)
      },
      leave: () => void this.#running.delete(admitted),
    }
    this.#running.add(admitted)
    return admitted
  }
}

function requireSpace({ root, blocks }: Pick<PrefixPaths, 'root' | 'blocks'>): void {
  const disk = statfsSync(blocks)
  const free = disk.bavail * disk.bsize
  if (free >= FREE_BYTES && disk.bavail >= disk.blocks * FREE_PART) return
  const mib = Math.floor(free / 1024 ** 2)
  throw new PkgError('NO_SPACE', `only ${mib} MiB are free for ${root}: too little to take imports`, {
    hint: 'Free some space; `pkg gc` may help.',
  })
}
