// Sets of small numbers, each kept once and named by a number; the empty one is 0.
// One set is made at a time: begin, include and unite, end.

const WORD_BITS = 32

export class LabelSets {
  readonly #words: number
  readonly #numbers = new Map<string, number>()
  readonly #sets: Uint32Array[] = []
  readonly #making: Uint32Array
  readonly #bytes: Buffer
  /** the one set that was united, as long as nothing else was done */
  #same: number | undefined

  /** For labels from 0 to `count` - 1. */
  constructor(count: number) {
    this.#words = Math.max(1, Math.ceil(count / WORD_BITS))
    this.#making = new Uint32Array(this.#words)
    this.#bytes = Buffer.from(this.#making.buffer)
    this.begin()
    this.#intern()
  }

  get size(): number {
    return this.#sets.length
  }

  begin(): void {
    this.#making.fill(0)
    this.#same = 0
  }

  include(label: number): void {
    this.#making[Math.floor(label / WORD_BITS)]! |= 1 << (label % WORD_BITS)
    this.#same = undefined
  }

  /** All that the set of this number holds. */
  unite(set: number): void {
    if (set === 0 || set === this.#same) return
    const words = this.#sets[set]!
    for (let at = 0; at < this.#words; at++) this.#making[at]! |= words[at]!
    this.#same = this.#same === 0 ? set : undefined
  }

  /** The number of the set that was made. */
  end(): number {
    return this.#same ?? this.#intern()
  }

  /** What the set holds, ascending. */
  labels(set: number): number[] {
    const found: number[] = []
    for (const [at, word] of this.#sets[set]!.entries()) {
      for (let rest = word; rest !== 0; rest = (rest & (rest - 1)) >>> 0) {
        found.push(at * WORD_BITS + 31 - Math.clz32(rest & -rest))
      }
    }
    return found
  }

  #intern(): number {
    const name = this.#bytes.toString('latin1')
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#sets.length
    this.#numbers.set(name, number)
    this.#sets.push(this.#making.slice())
    return number
  }
}
