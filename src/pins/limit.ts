// How much of what is dead goes: all of it, or as much as was asked for. The dry run
// and the sweep count with the same code, so that they give the same figures.

import { statfsSync } from 'node:fs'
import { PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import type { DeadBlocks } from './dead-blocks.ts'
import type { DeadGroup } from './dead-groups.ts'

/** Why a collection left dead blocks: it has freed as much as was asked for, or so much is free as was. */
export type StoppedBy = 'max-freed' | 'ensure-free'

export type LimitOptions = {
  maxFreedBytes?: number | undefined
  ensureFreeBytes?: number | undefined
}

/** What was deleted so far, or would be. */
export class Tally {
  blocks = 0
  bytes = 0
  /** what the file system gets back, in whole blocks of its own */
  diskBytes = 0
  readonly groups: DeadGroup[]
  readonly #dead: DeadBlocks
  readonly #unit: number

  /** `groups` get their figures here, by the numbers that `dead` gives them. */
  constructor(dead: DeadBlocks, groups: DeadGroup[], unit: number) {
    this.#dead = dead
    this.groups = groups
    this.#unit = unit
  }

  add(number: number): void {
    const bytes = this.#dead.bytes(number)
    this.blocks += 1
    this.bytes += bytes
    this.diskBytes += Math.ceil(bytes / this.#unit) * this.#unit
    const group = this.groups[this.#dead.groupOf(number) - 1]
    if (group === undefined) return
    group.blocks += 1
    group.bytes += bytes
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
  /** an allocation unit of the file system, in bytes */
  readonly unit: number

  /** Throws USAGE for limits that are none. */
  constructor({ blocks }: Pick<PrefixPaths, 'blocks'>, options: LimitOptions) {
    const { maxFreedBytes = Number.POSITIVE_INFINITY, ensureFreeBytes = Number.POSITIVE_INFINITY } = options
    for (const limit of [maxFreedBytes, ensureFreeBytes]) {
      if (!(limit >= 0)) throw new PkgError('USAGE', `${limit} is not a number of bytes`)
    }
    this.#maxFreed = maxFreedBytes
    this.#ensureFree = ensureFreeBytes
    this.#blocks = blocks
    this.unit = statfsSync(blocks).bsize || 1
    this.#lacking = ensureFreeBytes - freeBytes(blocks)
  }

  /** True when so much is free already that nothing has to go. */
  get isMet(): boolean {
    return this.#lacking <= 0
  }

  reached({ bytes, diskBytes }: Tally): StoppedBy | undefined {
    if (bytes >= this.#maxFreed) return 'max-freed'
    return diskBytes >= this.#lacking ? 'ensure-free' : undefined
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
