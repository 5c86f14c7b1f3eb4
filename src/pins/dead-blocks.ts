// Dead blocks, by number, in the order in which they are deleted: of each the
// digest, its bytes, and in which group (dead-groups.ts) it is. Packed, for there may be millions.

import { blockNameOf } from '../store/block-name.ts'
import { type BlockKey, blockName, multihashOfKey, rawCidOfKey } from '../store/cid.ts'
import { BlockSet } from './block-set.ts'

export class DeadBlocks {
  /** Those with a sha2-256 digest: their id there is their number here. */
  readonly plain = new BlockSet()
  /** The others, numbered behind those. */
  readonly others: BlockKey[] = []
  readonly #sizes: number[] = []
  readonly #otherSizes: number[] = []
  /** of each number, the number of its group plus one; 0: none yet */
  #groups = new Uint16Array(0)

  get count(): number {
    return this.plain.ids + this.others.length
  }

  addDigest(digest: Uint8Array, bytes: number): void {
    if (this.plain.addDigest(digest, 0) === this.#sizes.length) this.#sizes.push(bytes)
  }

  addOther(key: BlockKey, bytes: number): void {
    this.others.push(key)
    this.#otherSizes.push(bytes)
  }

  /** Length of the block's file, in bytes, when it was listed. */
  bytes(number: number): number {
    return number < this.plain.ids ? this.#sizes[number]! : this.#otherSizes[number - this.plain.ids]!
  }

  isIn(alive: BlockSet, number: number): boolean {
    return number < this.plain.ids
      ? alive.hasDigest(this.plain.digest(number), 0)
      : alive.has(multihashOfKey(this.others[number - this.plain.ids]!))
  }

  /** The name of the block's file. */
  name(number: number): string {
    return number < this.plain.ids
      ? blockNameOf(this.plain.digest(number))
      : blockName(rawCidOfKey(this.others[number - this.plain.ids]!))
  }

  groupOf(number: number): number {
    return this.#groups[number] ?? 0
  }

  /** Puts a block into a group, unless it is in one. */
  group(number: number, group: number): void {
    if (this.#groups.length === 0) this.#groups = new Uint16Array(this.count)
    if (this.#groups[number] === 0) this.#groups[number] = group
  }

  /** The same without those that have come to life, in the same order. */
  without(alive: BlockSet): DeadBlocks {
    const left = new DeadBlocks()
    for (let number = 0; number < this.count; number++) {
      if (this.isIn(alive, number)) continue
      if (number < this.plain.ids) left.addDigest(this.plain.digest(number), this.bytes(number))
      else left.addOther(this.others[number - this.plain.ids]!, this.bytes(number))
    }
    return left
  }
}
