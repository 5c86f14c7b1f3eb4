// How much one user has in the store, and may. What counts is what the user's roots
// reach, blocks and real trees; and because nobody knows what of an upload will be
// reached, what the user had at the last look plus what came since, if that is more. So
// uploading and letting go again and again fills no disk: a collection has to come in
// between, anybody's, that deletes all that is dead, and that nothing is protected from.
//
// Measuring takes a walk: it is done by a process of its own, and only where all
// that lies on the file system would be too much for the user.

import { statfsSync } from 'node:fs'
import type { Settled } from '../../collector/last-collection.ts'
import { type Config, readConfig } from '../../config.ts'
import { PkgError } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'

/** A measure this old, in ms, is made anew by a user who is at the limit: what was let go may be gone. */
const FRESH_MS = 60_000

/** What came within so many ms of each other counts as having come at once; and there are at most so many of these. */
const AT_ONCE_MS = 60_000
const MAX_WRITTEN = 256

/** What a block takes beside its bytes: its file, and its rows in the index. Else a million blocks of a byte were a MiB. */
const BLOCK_COST = 4096

/** Bytes that count for blocks. */
export function onDisk({ blocks, bytes }: { blocks: number; bytes: number }): number {
  return bytes + blocks * BLOCK_COST
}

/** Bytes, and the date (ms) at which the last of them came. */
type Written = { at: number; bytes: number }
/** `measured`: by a clock that nobody sets; `since`: the collection that was known of then, by its end. */
type Usage = { base: number; written: Written[]; measured: number; since: number }
/** Uploads and holds of a user that are under way, from when on without a pause, and until when. */
type Protection = { open: number; since: number; until: number }

export type QuotaOptions = {
  /** what the roots of this user reach, as `onDisk` counts it */
  measure: (uid: number) => Promise<number>
  /** the last collection that deleted all that was dead */
  lastSettled: () => Settled | undefined
  /** for tests */
  now?: () => number
}

export class Quotas {
  readonly #paths: Pick<PrefixPaths, 'blocks' | 'config'>
  readonly #options: QuotaOptions
  readonly #now: () => number
  readonly #users = new Map<number, Usage>()
  readonly #protections = new Map<number, Protection>()

  constructor(paths: Pick<PrefixPaths, 'blocks' | 'config'>, options: QuotaOptions) {
    this.#paths = paths
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Brings up to date what is known of this user, before an upload. */
  async prepare(uid: number): Promise<void> {
    const disk = statfsSync(this.#paths.blocks)
    const limit = limitOf(readConfig(this.#paths), disk)
    // Nobody can have more than all have together.
    if ((disk.blocks - disk.bfree) * disk.bsize <= limit / 2) return void this.#users.delete(uid)
    const known = this.#users.get(uid)
    const last = this.#options.lastSettled()
    const since = last?.ended ?? 0
    const full = known !== undefined && totalOf(known) >= limit
    const fresh = known !== undefined && performance.now() - known.measured <= FRESH_MS
    if (known?.since === since && (fresh || !full)) return
    const base = await this.#options.measure(uid)
    const kept = this.#users.get(uid)
    this.#users.set(uid, {
      ...{ base, since, measured: performance.now() },
      written: kept ? this.#left(uid, kept, { base, last }) : [],
    })
  }

  /** Bytes that every user may have. */
  limit(): number {
    return limitOf(readConfig(this.#paths), statfsSync(this.#paths.blocks))
  }

  /** Throws NO_SPACE when the user has no room for so many bytes more. */
  check(uid: number, bytes: number, limit: number): void {
    const has = totalOf(this.#users.get(uid))
    if (has + bytes <= limit) return
    throw new PkgError('NO_SPACE', `this user may have ${limit} bytes in the store, and has ${has}`, {
      hint: 'Let go of something, then `pkg gc`; or have the owner of the store raise uploads.quotaBytes or uploads.quotaPercent.',
    })
  }

  /** Tells that something was written for this user. */
  wrote(uid: number, bytes: number): void {
    const usage = this.#users.get(uid) ?? {
      base: 0,
      written: [],
      measured: Number.NEGATIVE_INFINITY,
      since: -1,
    }
    this.#users.set(uid, usage)
    const { written } = usage
    const at = this.#now()
    const last = written.at(-1)
    if (last && at - last.at < AT_ONCE_MS) written[written.length - 1] = { at, bytes: last.bytes + bytes }
    else written.push({ at, bytes })
    if (written.length > MAX_WRITTEN) {
      const [oldest, next] = written.splice(0, 2) as [Written, Written]
      written.unshift({ at: next.at, bytes: oldest.bytes + next.bytes })
    }
  }

  /** Tells that something of this user's is protected from collections, whatever reaches it; gives what ends that. */
  protect(uid: number): () => void {
    const before = this.#protections.get(uid)
    const since = before && before.open > 0 ? before.since : this.#now()
    const one = { open: (before?.open ?? 0) + 1, since, until: Number.POSITIVE_INFINITY }
    this.#protections.set(uid, one)
    let ended = false
    return () => {
      const now = this.#protections.get(uid)
      if (ended || !now) return
      ended = true
      this.#protections.set(uid, {
        ...now,
        open: now.open - 1,
        until: now.open > 1 ? now.until : this.#now(),
      })
    }
  }

  /** What may lie on the disk beside what is reached now. */
  #left(uid: number, kept: Usage, { base, last }: { base: number; last: Settled | undefined }): Written[] {
    const lost = Math.max(0, totalOf(kept) - base)
    if (last === undefined || last.ended === kept.since || this.#wasProtected(uid, last)) {
      return lost === 0 ? [] : [{ at: this.#now(), bytes: lost }]
    }
    const left = kept.written.filter(({ at }) => at >= last.before)
    return sum(left) <= lost ? left : [{ at: this.#now(), bytes: lost }]
  }

  /** A hold that goes on, and on what came long before, has kept that. */
  #wasProtected(uid: number, { before, ended }: Settled): boolean {
    const found = this.#protections.get(uid)
    return found !== undefined && found.since <= ended && found.until >= before
  }
}

function totalOf(usage: Usage | undefined): number {
  return usage === undefined ? 0 : usage.base + sum(usage.written)
}

const sum = (written: readonly Written[]) => written.reduce((all, { bytes }) => all + bytes, 0)

function limitOf(config: Config, disk: { blocks: number; bsize: number }): number {
  const part = Math.floor((disk.blocks * disk.bsize * config['uploads.quotaPercent']) / 100)
  return Math.min(config['uploads.quotaBytes'], part)
}
