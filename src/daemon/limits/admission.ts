// Which imports the daemon lets in. Every user of the machine may come to root's
// daemon: no number of uploads, stalled or endless ones among them, may take its
// memory, the places of others, or the disk that everybody lives on.
//
// An upload may be as slow as its line. Only where all places are taken does one
// that hardly moves give its place to who comes next.

import { type Config, readConfig } from '../../config.ts'
import { PkgError } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import { onDisk, type Quotas } from './quota.ts'
import { requireRoom } from './reserve.ts'

/** Bytes that are taken in between two looks at the free space. */
const LOOK_BYTES = 16 * 1024 * 1024

/** Milliseconds over which an import's speed is judged; a younger one is not. */
const WINDOW_MS = 5000

/** The least that an import has in memory: without it, it could not go on. */
const LEAST_BYTES = 256 * 1024

export type Figures = { blocks: number; bytes: number }

export type Admitted = {
  /** aborted, with a BUSY error, when this import was too slow and its place is needed */
  readonly signal: AbortSignal
  /** bytes of blocks that may wait in memory now */
  memoryBytes(): number
  /** Call it with what came, or was stored, so far, as often as you like. Throws NO_SPACE. */
  checkSpace(figures: Figures): void
  /** Tells what was written by it. */
  wrote(figures: Figures): void
  /** All has come: from now on it is not the client who may be slow. */
  received(): void
  /** Lets the next one in. Idempotent. */
  leave(): void
}

type Running = {
  uid: number
  since: number
  bytes: number
  before: number
  /** the most that it had, read or stored */
  most: number
  received: boolean
  giveWay(): void
}

export class Admission {
  readonly #paths: Pick<PrefixPaths, 'root' | 'blocks' | 'config'>
  /** several users come here, and none of them may take all places or all the disk */
  readonly #quotas: Quotas | undefined
  readonly #now: () => number
  readonly #running = new Set<Running>()
  readonly #holds = new Map<number, number>()

  /** `now` is for tests. */
  constructor(
    paths: Pick<PrefixPaths, 'root' | 'blocks' | 'config'>,
    quotas?: Quotas,
    now = () => performance.now(),
  ) {
    this.#paths = paths
    this.#quotas = quotas
    this.#now = now
  }

  /** To be awaited before `enter`. */
  async prepare(uid: number): Promise<void> {
    await this.#quotas?.prepare(uid)
  }

  /** Lets an import of this user in. Throws BUSY when too many are under way, NO_SPACE when too little is free. */
  enter(uid: number): Admitted {
    const config = readConfig(this.#paths)
    this.#requirePlace(uid, config)
    requireRoom(this.#paths, config)
    const end = new AbortController()
    const running: Running = {
      uid,
      since: this.#now(),
      bytes: 0,
      before: 0,
      most: 0,
      received: false,
      giveWay: () => {
        this.#running.delete(running)
        end.abort(tooSlow(config))
      },
    }
    const limit = this.#quotas?.limit() ?? 0
    this.#quotas?.check(uid, this.#underWay(uid), limit)
    this.#running.add(running)
    const unprotect = this.#quotas?.protect(uid)
    let looked = 0
    return {
      signal: end.signal,
      memoryBytes: () => Math.max(LEAST_BYTES, config['uploads.memoryBytes'] / this.#running.size),
      checkSpace: (figures) => {
        const bytes = onDisk(figures)
        running.bytes = bytes
        running.most = Math.max(running.most, bytes)
        this.#quotas?.check(uid, this.#underWay(uid), limit)
        if (Math.abs(bytes - looked) < LOOK_BYTES) return
        looked = bytes
        requireRoom(this.#paths, config)
      },
      wrote: (figures) => this.#quotas?.wrote(uid, onDisk(figures)),
      received: () => {
        running.received = true
      },
      leave: () => {
        this.#running.delete(running)
        unprotect?.()
      },
    }
  }

  /**
   * Lets real files of so many bytes be made for this user, who pays for them as for blocks; gives what to call when
   * they are made, or were not. Throws NO_SPACE. `prepare` comes before it.
   */
  enterFiles(uid: number, bytes: number): (made: boolean) => void {
    this.#quotas?.check(uid, this.#underWay(uid) + bytes, this.#quotas.limit())
    this.#quotas?.wrote(uid, bytes)
    const unprotect = this.#quotas?.protect(uid)
    return (made) => {
      if (!made) this.#quotas?.wrote(uid, -bytes)
      unprotect?.()
    }
  }

  /** Lets this user's client hold a temp pin; gives the function that ends it. Throws BUSY when the user has too many. */
  hold(uid: number): { holdMs: number; end: () => void } {
    const config = readConfig(this.#paths)
    const holds = this.#holds.get(uid) ?? 0
    const limit = config['uploads.holdsPerUser']
    if (holds >= limit) {
      throw new PkgError('BUSY', `${limit} connections of this user hold what they uploaded already`, {
        hint: 'Wait until the commands that hold them have ended.',
      })
    }
    this.#holds.set(uid, holds + 1)
    const unprotect = this.#quotas?.protect(uid)
    let ended = false
    const end = () => {
      if (ended) return
      ended = true
      unprotect?.()
      const left = (this.#holds.get(uid) ?? 1) - 1
      if (left > 0) this.#holds.set(uid, left)
      else this.#holds.delete(uid)
    }
    return { holdMs: config['uploads.holdSeconds'] * 1000, end }
  }

  /** Bytes of this user's imports. */
  #underWay(uid: number): number {
    let bytes = 0
    for (const one of this.#running) if (one.uid === uid) bytes += one.most
    return bytes
  }

  #requirePlace(uid: number, config: Config): void {
    const own = [...this.#running].filter((one) => one.uid === uid).length
    const perUser = this.#quotas ? config['uploads.atOncePerUser'] : config['uploads.atOnce']
    if (own >= perUser) throw tooMany(`${own} imports of this user are`)
    if (this.#running.size < config['uploads.atOnce']) return
    const slow = [...this.#running].find((one) =>
      isSlow(one, config['uploads.minBytesPerSecond'], this.#now()),
    )
    if (slow === undefined) throw tooMany(`${this.#running.size} imports are`)
    slow.giveWay()
  }
}

/** Judged over the time since the last judgement, at least a window of it. */
function isSlow(one: Running, minimum: number, now: number): boolean {
  const elapsed = now - one.since
  if (one.received || elapsed < WINDOW_MS) return false
  const slow = Math.abs(one.bytes - one.before) < (minimum * elapsed) / 1000
  one.since = now
  one.before = one.bytes
  return slow
}

function tooMany(what: string): PkgError {
  return new PkgError('BUSY', `${what} under way: no more are taken at once`, {
    hint: 'Try again when one is done.',
  })
}

function tooSlow(config: Config): PkgError {
  const least = config['uploads.minBytesPerSecond']
  return new PkgError('BUSY', `the upload came at less than ${least} bytes a second, and others wait`, {
    hint: 'Try again later, or from a file on this machine.',
  })
}
