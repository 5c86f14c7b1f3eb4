// Tables of small numbers that grow, without an object each.

/** A flag for every number. */
export class Flags {
  #bits = new Uint8Array(1024)

  /** Raises the flag of `number`; true when it was not up yet. */
  raise(number: number): boolean {
    const at = number >>> 3
    if (at >= this.#bits.length) this.#bits = grown(this.#bits, at + 1)
    const bit = 1 << (number & 7)
    if ((this.#bits[at]! & bit) !== 0) return false
    this.#bits[at]! |= bit
    return true
  }

  isUp(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  }
}

export class NumberStack {
  #numbers = new Uint32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(number: number): void {
    if (this.#length === this.#numbers.length) this.#numbers = grown(this.#numbers, this.#length + 1)
    this.#numbers[this.#length++] = number
  }

  pop(): number | undefined {
    return this.#length === 0 ? undefined : this.#numbers[--this.#length]
  }
}

function grown<T extends Uint8Array | Uint32Array>(table: T, atLeast: number): T {
  const larger = new (table.constructor as new (length: number) => T)(Math.max(table.length * 2, atLeast))
  larger.set(table)
  return larger
}
