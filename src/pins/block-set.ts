// A set of multihashes that a collector can afford for millions of blocks: 32
// bytes each in one open-addressed table, where a Set of strings takes three
// times that. Exact: a wrong "there" would pass over a subtree and lose it.

import { randomBytes } from 'node:crypto'
import { SHA2_256 } from '../store/cid.ts'

/** 32-bit words of a sha2-256 digest. */
const WORDS = 8
const DIGEST_BYTES = 32
/** Doubled when more than half full: probes stay short. */
const FIRST_SLOTS = 1024

export class BlockSet {
  #table = new Uint32Array(FIRST_SLOTS * WORDS)
  #slots = FIRST_SLOTS
  #inTable = 0
  /** Everything but sha2-256, and the one digest that marks an empty slot. */
  readonly #others = new Set<string>()
  /** Random, so that nobody can make digests that all meet in one place. */
  readonly #seed = randomBytes(4).readUInt32LE()
  readonly #wanted = new Uint32Array(WORDS)

  get size(): number {
    return this.#inTable + this.#others.size
  }

  /** Adds a multihash; true when it was not there yet. */
  add(multihash: Uint8Array): boolean {
    if (!this.#load(multihash)) {
      const before = this.#others.size
      return this.#others.add(latin1(multihash)).size > before
    }
    const slot = this.#find()
    if (this.#isTaken(slot)) return false
    this.#table.set(this.#wanted, slot * WORDS)
    this.#inTable += 1
    if (this.#inTable * 2 > this.#slots) this.#grow()
    return true
  }

  has(multihash: Uint8Array): boolean {
    return this.#load(multihash) ? this.#isTaken(this.#find()) : this.#others.has(latin1(multihash))
  }

  /** Reads the digest's words; false when it does not belong in the table. */
  #load(multihash: Uint8Array): boolean {
    if (multihash.length !== DIGEST_BYTES + 2) return false
    if (multihash[0] !== SHA2_256 || multihash[1] !== DIGEST_BYTES) return false
    let any = 0
    for (let word = 0; word < WORDS; word++) {
      const at = 2 + word * 4
      const value =
        multihash[at]! | (multihash[at + 1]! << 8) | (multihash[at + 2]! << 16) | (multihash[at + 3]! << 24)
      this.#wanted[word] = value
      any |= value
    }
    return any !== 0
  }

  /** The slot where the wanted digest is, or the empty one where it would go. */
  #find(): number {
    let slot = this.#hash(this.#wanted, 0) & (this.#slots - 1)
    while (this.#isTaken(slot) && !this.#isWanted(slot)) slot = (slot + 1) & (this.#slots - 1)
    return slot
  }

  #isTaken(slot: number): boolean {
    for (let at = slot * WORDS; at < (slot + 1) * WORDS; at++) if (this.#table[at] !== 0) return true
    return false
  }

  #isWanted(slot: number): boolean {
    for (let word = 0; word < WORDS; word++) {
      if (this.#table[slot * WORDS + word] !== this.#wanted[word]) return false
    }
    return true
  }

  /** Murmur3's body and finish over the words. */
  #hash(words: Uint32Array, from: number): number {
    let hash = this.#seed
    for (let word = 0; word < WORDS; word++) {
      hash ^= Math.imul(words[from + word]!, 0xcc9e2d51)
      hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) >>> 0
  }

  #grow(): void {
    const old = this.#table
    this.#slots *= 2
    this.#table = new Uint32Array(this.#slots * WORDS)
    for (let from = 0; from < old.length; from += WORDS) {
      this.#wanted.set(old.subarray(from, from + WORDS))
      if (this.#wanted.some((word) => word !== 0)) this.#table.set(this.#wanted, this.#find() * WORDS)
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
