// Which parts of our sources ran: V8's own block counts, read in the process
// itself. They guide the fuzzer to inputs that reach what none reached before.

import { Session } from 'node:inspector'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Only our own code counts: libraries have too many branches that lead nowhere. */
const SOURCES = `${pathToFileURL(join(import.meta.dirname, '..', '..', 'src'))}/`

type Range = { startOffset: number; endOffset: number; count: number }
type Script = { url: string; functions: { ranges: Range[] }[] }

export class Coverage {
  readonly #session = new Session()
  /** by script: which characters ran at least once */
  readonly #reached = new Map<string, Uint8Array>()

  /** Call it before the code under test is loaded: what is compiled earlier is counted by function only. */
  constructor() {
    this.#session.connect()
    this.#post('Profiler.enable')
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** How many characters of the sources ran since the last look that had never run before; they count as known from now on. */
  take(): number {
    return this.#look((known, at) => {
      known[at] = 1
    })
  }

  /** The same, but they stay unknown: whoever runs the inputs again one by one finds out which of them it was. */
  look(): number {
    return this.#look(() => {})
  }

  #look(found: (known: Uint8Array, at: number) => void): number {
    let count = 0
    const { result } = this.#post('Profiler.takePreciseCoverage') as { result: Script[] }
    for (const { url, functions } of result) {
      if (url.startsWith(SOURCES)) count += this.#compare(url, functions, found)
    }
    return count
  }

  /** Characters that ran so far. */
  get reached(): number {
    let sum = 0
    for (const script of this.#reached.values()) for (const one of script) sum += one
    return sum
  }

  close(): void {
    this.#session.disconnect()
  }

  #compare(
    url: string,
    functions: Script['functions'],
    found: (known: Uint8Array, at: number) => void,
  ): number {
    if (!functions.some(({ ranges }) => ranges.some(({ count }) => count > 0))) return 0
    const length = Math.max(...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)))
    const now = new Uint8Array(length)
    // Outer functions and blocks come before those inside them, which know better.
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges)
        now.fill(Math.min(count, 1), startOffset, endOffset)
    }
    let known = this.#reached.get(url)
    if (known === undefined || known.length < length) {
      const larger = new Uint8Array(length)
      larger.set(known ?? [])
      known = larger
      this.#reached.set(url, known)
    }
    let count = 0
    for (let at = 0; at < length; at++) {
      if (now[at] === 0 || known[at] === 1) continue
      found(known, at)
      count += 1
    }
    return count
  }

  #post(method: string, params?: object): unknown {
    let answer: unknown
    this.#session.post(method, params ?? {}, (error, result) => {
      if (error) throw new Error(`${method}: ${error.message}`)
      answer = result
    })
    return answer
  }
}
