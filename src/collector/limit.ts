// How much of what is dead goes: all of it, or as much as was asked for. The dry run
// and the sweep count with the same code, so that they give the same figures.

import { statfsSync } from 'node:fs'
import { PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { addAmount, noAmount } from './amount.ts'
import type { DeadBlocks } from './dead-blocks.ts'
import type { DeadGroup } from './dead-groups.ts'

/** Why a collection left dead blocks: it has freed as much as was asked for, or so much is free as was. */
export type StoppedBy = 'max-freed' | 'ensure-free'

export type LimitOptions = {
  maxFreedBytes?: number | undefined
  ensureFreeBytes?: number | undefined
}

/** What is free, for whoever asked for so much: bytes that every user may use. */
export type Room = { bytes: number; wanted: number }

/** What was deleted so far, or would be. */
export class Tally {
  readonly deleted = noAmount()
  readonly groups: DeadGroup[]
  readonly #dead: DeadBlocks
  /** what the trees of dead checkouts took on the disk: they go before blocks do */
  readonly #treeBytes: number

  /** `groups` get their figures here, by the numbers that `dead` gives them. */
  constructor(dead: DeadBlocks, groups: DeadGroup[], treeBytes = 0) {
    this.#dead = dead
    this.groups = groups
    this.#treeBytes = treeBytes
  }

  /** What the file system gets back in all. */
  get freedBytes(): number {
    return this.deleted.diskBytes + this.#treeBytes
  }

  add(number: number): void {
    const amount = this.#dead.amount(number)
    addAmount(this.deleted, amount)
    const group = this.groups[this.#dead.groupOf(number) - 1]
    if (group !== undefined) addAmount(group, amount)
  }

  /** The groups that have something, the largest first. */
  found(): DeadGroup[] {
    return this.groups.filter(({ blocks }) => blocks > 0).sort((a, b) => b.bytes - a.bytes)
  }
}

export class Limit {
  readonly #maxFreed: number
  readonly #ensureFree: number
  readonly #blocks: string
  /** what was not free at the beginning, though it shall be, in bytes */
  readonly #lacking: number

  /** Throws USAGE for limits that are none. */
  constructor({ blocks }: Pick<PrefixPaths, 'blocks'>, options: LimitOptions) {
    const { maxFreedBytes = Number.POSITIVE_INFINITY, ensureFreeBytes = Number.POSITIVE_INFINITY } = options
    for (const limit of [maxFreedBytes, ensureFreeBytes]) {
      if (!(limit >= 0)) throw new PkgError('USAGE', `${limit} is not a number of bytes`)
    }
    this.#maxFreed = maxFreedBytes
    this.#ensureFree = ensureFreeBytes
    this.#blocks = blocks
    this.#lacking = ensureFreeBytes - freeBytes(blocks)
  }

  /** True when nothing at all shall go: so much is free already, or no more may be freed. */
  get isMet(): boolean {
    return this.reached({ freedBytes: 0 }) !== undefined
  }

  reached({ freedBytes }: Pick<Tally, 'freedBytes'>): StoppedBy | undefined {
    if (freedBytes >= this.#maxFreed) return 'max-freed'
    return freedBytes >= this.#lacking ? 'ensure-free' : undefined
  }

  /** What is free now, and `more` that would be; undefined when nobody asked for so much. */
  room(more = 0): Room | undefined {
    if (this.#ensureFree === Number.POSITIVE_INFINITY) return undefined
    return { bytes: freeBytes(this.#blocks) + more, wanted: this.#ensureFree }
  }

  /** The same, asking the file system too: others may have freed something. */
  reachedNow(tally: Tally): StoppedBy | undefined {
    const enough =
      this.#ensureFree !== Number.POSITIVE_INFINITY && freeBytes(this.#blocks) >= this.#ensureFree
    return this.reached(tally) ?? (enough ? 'ensure-free' : undefined)
  }
}

/** What every user may use, as df(1) says. */
function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
