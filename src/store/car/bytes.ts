// A stream of byte chunks, read in the pieces a format asks for. It holds one
// chunk and at most one piece of unread bytes, however long the stream is.

import { PkgError } from '../../errors.ts'

/** A varint of a CAR is at most so long: 63 bits (multiformats/unsigned-varint). */
const MAX_VARINT_BYTES = 9

export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)
  /** bytes given out so far: the place that messages name */
  position = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** True when there is no further byte. */
  async atEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next()
      if (done) return true
      this.#rest = value
    }
    return false
  }

  /** The next `length` bytes, perhaps sharing memory with the stream's chunk. Throws BAD_CAR where the stream ends before. */
  async take(length: number, what: string): Promise<Uint8Array> {
    if (this.#rest.length < length) await this.#gather(length, what)
    const bytes = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    this.position += length
    return bytes
  }

  /** Passes over `length` bytes. Throws BAD_CAR where the stream ends before. */
  async skip(length: number, what: string): Promise<void> {
    for (let left = length; left > 0; ) {
      if (await this.atEnd()) throw this.#truncated(what)
      const count = Math.min(left, this.#rest.length)
      await this.take(count, what)
      left -= count
    }
  }

  /** Reads to the end, so that the sender learns that all was taken. */
  async drain(): Promise<void> {
    while (!(await this.atEnd())) await this.take(this.#rest.length, 'rest')
  }

  async takeVarint(what: string): Promise<number> {
    let value = 0
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const [byte] = (await this.take(1, what)) as unknown as [number]
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte < 0x80) return value
    }
    throw new PkgError('BAD_CAR', `the ${what} at byte ${this.position} of the CAR is no number`)
  }

  /** Tells the stream that nobody reads on. Idempotent. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  async #gather(length: number, what: string): Promise<void> {
    const pieces = [this.#rest]
    let have = this.#rest.length
    while (have < length) {
      const { done, value } = await this.#chunks.next()
      if (done) throw this.#truncated(what)
      pieces.push(value)
      have += value.length
    }
    this.#rest = Buffer.concat(pieces, have)
  }

  #truncated(what: string): PkgError {
    return new PkgError(
      'BAD_CAR',
      `the CAR is cut short: it ends inside the ${what} at byte ${this.position}`,
      {
        hint: 'Fetch or export the file again.',
      },
    )
  }
}
