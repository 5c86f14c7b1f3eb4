// Dead blocks, by number, in the order in which they are deleted: of each the
// digest, its sizes, and in which group (dead-groups.ts) it is. Packed, for there may be millions.

import { blockNameOf } from '../store/blocks/block-name.ts'
import { type BlockKey, blockName, multihashOfKey, rawCidOfKey } from '../store/cid.ts'
import { type Amount, addAmount, noAmount } from './amount.ts'
import { BlockSet } from './block-set.ts'

/** Of a block's file, when it was listed: its length, and what the file system has given for it. */
export type FileSize = Pick<Amount, 'bytes' | 'diskBytes'>

export class DeadBlocks {
  /** Those with a sha2-256 digest: their id there is their number here. */
  readonly plain = new BlockSet()
  /** The others, numbered behind those. */
  readonly others: BlockKey[] = []
  readonly #sizes = new FileSizes()
  readonly #otherSizes = new FileSizes()
  /** of each number, the number of its group plus one; 0: none yet */
  #groups = new Uint16Array(0)

  get count(): number {
    return this.plain.ids + this.others.length
  }

  addDigest(digest: Uint8Array, size: FileSize): void {
    if (this.plain.addDigest(digest, 0) === this.#sizes.length) this.#sizes.push(size)
  }

  addOther(key: BlockKey, size: FileSize): void {
    this.others.push(key)
    this.#otherSizes.push(size)
  }

  amount(number: number): Amount {
    const { ids } = this.plain
    return number < ids ? this.#sizes.of(number) : this.#otherSizes.of(number - ids)
  }

  /** What is dead from this number on, without what has come to life. */
  amountFrom(first: number, alive: BlockSet): Amount {
    const sum = noAmount()
    for (let number = first; number < this.count; number++) {
      if (!this.isIn(alive, number)) addAmount(sum, this.amount(number))
    }
    return sum
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
      if (number < this.plain.ids) left.addDigest(this.plain.digest(number), this.amount(number))
      else left.addOther(this.others[number - this.plain.ids]!, this.amount(number))
    }
    return left
  }
}

/** Two lists of numbers instead of one of objects. */
class FileSizes {
  readonly #bytes: number[] = []
  readonly #diskBytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  push({ bytes, diskBytes }: FileSize): void {
    this.#bytes.push(bytes)
    this.#diskBytes.push(diskBytes)
  }

  of(number: number): Amount {
    return { blocks: 1, bytes: this.#bytes[number]!, diskBytes: this.#diskBytes[number]! }
  }
}
