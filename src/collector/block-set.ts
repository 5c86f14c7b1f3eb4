// A set of multihashes that a collector can afford for millions of blocks: a
// sha2-256 digest takes its 32 bytes and some 8 of a hash table, where a Set of
// strings takes four times that. Digests lie one behind the other in the order in
// which they came, so each has a number (`id`), and whoever needs to know more of
// a block keeps that in a table by number.
// Exact: a wrong "there" would pass over a subtree and lose it.

import { randomBytes } from 'node:crypto'
import { SHA2_256 } from '../store/cid.ts'

/** 32-bit words of a sha2-256 digest. */
const WORDS = 8
const DIGEST_BYTES = 32
/** Digests to a chunk: 512 KiB, so that growing never copies what is there. */
const CHUNK = 16_384
/** Doubled when three quarters are taken. */
const FIRST_SLOTS = 4096

export class BlockSet {
  readonly #chunks: Uint32Array[] = []
  /** of a slot: the id that lies there, plus one; 0 is empty */
  #slots: Int32Array
  #count = 0
  /** Everything but sha2-256. */
  readonly #others = new Set<string>()
  /** Random, so that nobody can make digests that all meet in one place. */
  readonly #seed = randomBytes(4).readUInt32LE()
  readonly #wanted = new Uint32Array(WORDS)
  readonly #wantedBytes = new Uint8Array(this.#wanted.buffer)

  /** `expected`: about how many there will be; growing takes time, and for a moment half as much room again. */
  constructor(expected = 0) {
    let slots = FIRST_SLOTS
    while (slots * 3 < expected * 4) slots *= 2
    this.#slots = new Int32Array(slots)
  }

  get size(): number {
    return this.#count + this.#others.size
  }

  /** Of those with an id: ids are below it. */
  get ids(): number {
    return this.#count
  }

  /** Adds a multihash; true when it was not there yet. */
  add(multihash: Uint8Array): boolean {
    if (isSha256(multihash)) {
      const before = this.#count
      this.addDigest(multihash, 2)
      return this.#count > before
    }
    const before = this.#others.size
    return this.#others.add(latin1(multihash)).size > before
  }

  has(multihash: Uint8Array): boolean {
    return isSha256(multihash) ? this.hasDigest(multihash, 2) : this.#others.has(latin1(multihash))
  }

  /** Adds the sha2-256 digest that stands in `bytes` at `at`, and gives its id, also of one that was there. */
  addDigest(bytes: Uint8Array, at: number): number {
    this.#load(bytes, at)
    const slot = this.#find()
    const taken = this.#slots[slot]!
    if (taken !== 0) return taken - 1
    const id = this.#count++
    const place = id % CHUNK
    if (place === 0) this.#chunks.push(new Uint32Array(CHUNK * WORDS))
    this.#chunks.at(-1)!.set(this.#wanted, place * WORDS)
    this.#slots[slot] = id + 1
    if (this.#count * 4 > this.#slots.length * 3) this.#grow()
    return id
  }

  hasDigest(bytes: Uint8Array, at: number): boolean {
    return this.idOf(bytes, at) !== undefined
  }

  /** The id of a sha2-256 digest. */
  idOf(bytes: Uint8Array, at: number): number | undefined {
    this.#load(bytes, at)
    const taken = this.#slots[this.#find()]!
    return taken === 0 ? undefined : taken - 1
  }

  /** The digest with this id; shares memory with the set. */
  digest(id: number): Uint8Array {
    const chunk = this.#chunks[Math.floor(id / CHUNK)]!
    return new Uint8Array(chunk.buffer, (id % CHUNK) * DIGEST_BYTES, DIGEST_BYTES)
  }

  #load(bytes: Uint8Array, at: number): void {
    for (let index = 0; index < DIGEST_BYTES; index++) this.#wantedBytes[index] = bytes[at + index]!
  }

  /** The slot where the wanted digest is, or the empty one where it would go. */
  #find(): number {
    const mask = this.#slots.length - 1
    let slot = hash(this.#wanted, 0, this.#seed) & mask
    for (let taken = this.#slots[slot]!; taken !== 0; taken = this.#slots[slot]!) {
      if (this.#isWanted(taken - 1)) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #isWanted(id: number): boolean {
    const chunk = this.#chunks[Math.floor(id / CHUNK)]!
    const from = (id % CHUNK) * WORDS
    for (let word = 0; word < WORDS; word++) if (chunk[from + word] !== this.#wanted[word]) return false
    return true
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let id = 0; id < this.#count; id++) {
      const chunk = this.#chunks[Math.floor(id / CHUNK)]!
      let slot = hash(chunk, (id % CHUNK) * WORDS, this.#seed) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id + 1
    }
    this.#slots = slots
  }
}

/** True for a multihash of sha2-256 whose digest has its whole length. */
export function isSha256(multihash: Uint8Array): boolean {
  return multihash.length === DIGEST_BYTES + 2 && multihash[0] === SHA2_256 && multihash[1] === DIGEST_BYTES
}

/** Murmur3's body and finish over the words. */
function hash(words: Uint32Array, from: number, seed: number): number {
  let mixed = seed
  for (let word = 0; word < WORDS; word++) {
    mixed ^= Math.imul(words[from + word]!, 0xcc9e2d51)
    mixed = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
