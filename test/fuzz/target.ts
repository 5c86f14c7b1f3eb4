// What a fuzz target is, and what it may do with an input.

import { codeOf, PkgError } from '../../src/errors.ts'

export type Target = {
  /** the name of its folder in corpus/ */
  name: string
  /** inputs to begin with: valid ones, that reach deep */
  seeds: readonly Uint8Array[]
  /** words of the format */
  dictionary?: readonly Uint8Array[]
  /**
   * Gives the input to the code under test. What it returns tells kinds of outcomes
   * apart: an input with a new one is kept. What it throws is a finding.
   */
  run(input: Uint8Array): string | undefined | Promise<string | undefined>
  /** a change that keeps the input's shape; undefined where it has none */
  mutate?(input: Uint8Array, random: () => number): Uint8Array | undefined
  /** an input may take longer than this, in ms, only when it is run alone; 1 s if not given */
  slowMs?: number
  close?(): unknown
}

/** Runs what may refuse with an error of ours, but with no other: gives the code, or what `run` returns. */
export function refusing<T>(run: () => T): T | { code: string } {
  try {
    return run()
  } catch (error) {
    return { code: codeOfRefusal(error) }
  }
}

/** The code of a PkgError; throws anything else on, and errors that say too much. */
export function codeOfRefusal(error: unknown): string {
  if (!(error instanceof PkgError) || codeOf(error) === 'INTERNAL') throw error
  if (error.message.length > MAX_MESSAGE) {
    throw new Error(`a message of ${error.message.length} characters: ${error.message.slice(0, 200)}…`)
  }
  return error.code
}

/** People read messages, and logs keep them. */
const MAX_MESSAGE = 8192

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

/** Numbers and flags for a target out of an input's bytes; zeros after its end. */
export class Choices {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  below(limit: number): number {
    return limit <= 256 ? this.byte() % limit : (this.byte() * 256 + this.byte()) % limit
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  bytes(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length)
  }
}
