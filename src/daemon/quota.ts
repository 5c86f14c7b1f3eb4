// How much one user has in the store, and may. What counts is what the user's roots
// reach; and because nobody knows what of an upload will be reached, what the user
// had after the last collection plus what came since, if that is more. So uploading
// and letting go again and again fills no disk: a collection has to come in between.
//
// Measuring takes a walk: it is done by a process of its own, and only where all
// that lies on the file system would be too much for the user.

import { statfsSync } from 'node:fs'
import { type Config, readConfig } from '../config.ts'
import { PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'

/** A measure this old, in ms, is made anew by a user who is at the limit: what was let go may be gone. */
const FRESH_MS = 60_000

/** What a block takes beside its bytes: its file, and its rows in the index. Else a million blocks of a byte were a MiB. */
const BLOCK_COST = 4096

/** Bytes that count for blocks. */
export function onDisk({ blocks, bytes }: { blocks: number; bytes: number }): number {
  return bytes + blocks * BLOCK_COST
}

type Usage = { base: number; written: number; measured: number; collections: number }

export type QuotaOptions = {
  /** what the roots of this user reach, as `onDisk` counts it */
  measure: (uid: number) => Promise<number>
  /** collections that ended so far */
  collections: () => number
}

export class Quotas {
  readonly #paths: Pick<PrefixPaths, 'blocks' | 'config'>
  readonly #options: QuotaOptions
  readonly #users = new Map<number, Usage>()

  constructor(paths: Pick<PrefixPaths, 'blocks' | 'config'>, options: QuotaOptions) {
    this.#paths = paths
    this.#options = options
  }

  /** Brings up to date what is known of this user, before an upload. */
  async prepare(uid: number): Promise<void> {
    const disk = statfsSync(this.#paths.blocks)
    const limit = limitOf(readConfig(this.#paths), disk)
    // Nobody can have more than all have together.
    if ((disk.blocks - disk.bfree) * disk.bsize <= limit / 2) return void this.#users.delete(uid)
    const known = this.#users.get(uid)
    const collections = this.#options.collections()
    const full = known !== undefined && known.base + known.written >= limit
    if (known?.collections === collections && !(full && Date.now() - known.measured > FRESH_MS)) return
    const base = await this.#options.measure(uid)
    // What was written before a collection that is over is either reached now, or gone.
    const kept = this.#users.get(uid)
    const written = kept?.collections === collections ? Math.max(0, kept.base + kept.written - base) : 0
    this.#users.set(uid, { base, written, measured: Date.now(), collections })
  }

  /** Bytes that every user may have. */
  limit(): number {
    return limitOf(readConfig(this.#paths), statfsSync(this.#paths.blocks))
  }

  /** Throws NO_SPACE when the user has no room for so many bytes more. */
  check(uid: number, bytes: number, limit: number): void {
    const { base, written } = this.#users.get(uid) ?? { base: 0, written: 0 }
    if (base + written + bytes <= limit) return
    throw new PkgError(
      'NO_SPACE',
      `this user may have ${limit} bytes in the store, and has ${base + written}`,
      {
        hint: 'Let go of something, then `pkg gc`; or have the owner of the store raise uploads.quotaBytes or uploads.quotaPercent.',
      },
    )
  }

  /** Tells that an upload of this user wrote so many bytes. */
  wrote(uid: number, bytes: number): void {
    const known = this.#users.get(uid)
    if (known) known.written += bytes
    else this.#users.set(uid, { base: 0, written: bytes, measured: 0, collections: -1 })
  }
}

function limitOf(config: Config, disk: { blocks: number; bsize: number }): number {
  const part = Math.floor((disk.blocks * disk.bsize * config['uploads.quotaPercent']) / 100)
  return Math.min(config['uploads.quotaBytes'], part)
}
