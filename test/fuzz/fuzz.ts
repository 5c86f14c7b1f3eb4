// The fuzzer: changes inputs, keeps those that reach new code or a new outcome,
// and stops at the first finding: an exception that is no documented error, an
// input that takes too long, memory that grows.

import type { Coverage } from './coverage.ts'
import { type Material, mutate, pick, type Random } from './mutate.ts'
import type { Target } from './target.ts'

/** Inputs between two looks at the coverage: a look costs as much as some inputs. */
const BATCH = 32
/** Milliseconds for one input; what takes longer is run again alone before it counts. */
const SLOW_MS = 1000
/** Bytes by which the process may grow: the code itself, the corpus, garbage that waits. */
const GROWTH = 512 * 1024 * 1024

export class Finding extends Error {
  readonly input: Uint8Array

  constructor(target: Target, input: Uint8Array, why: string, cause?: unknown) {
    super(`${target.name}: ${why}`, { cause })
    this.input = input
  }
}

export type FuzzOptions = {
  random: Random
  /** inputs, at most */
  runs?: number
  /** milliseconds, at most */
  ms?: number
  coverage?: Coverage | undefined
  /** tells what is about to be run, for whoever watches from outside */
  watch?: (input: Uint8Array) => void
}

export type Fuzzed = { runs: number; kept: Uint8Array[]; outcomes: Map<string, number>; slowestMs: number }

/** Throws a Finding. Without `coverage` only outcomes guide it. */
export async function fuzz(
  target: Target,
  corpus: readonly Uint8Array[],
  options: FuzzOptions,
): Promise<Fuzzed> {
  const { random, runs = Number.POSITIVE_INFINITY, ms = Number.POSITIVE_INFINITY, coverage } = options
  const all: Uint8Array[] = [...target.seeds, ...corpus]
  const fuzzed: Fuzzed = { runs: 0, kept: [], outcomes: new Map(), slowestMs: 0 }
  const material = { corpus: all, dictionary: target.dictionary ?? [] }
  for (const input of all) await one(target, input, fuzzed, options)
  coverage?.take()
  const before = process.memoryUsage.rss()
  const end = performance.now() + ms
  while (fuzzed.runs < runs && performance.now() < end) {
    const batch = Array.from({ length: BATCH }, () => change(target, pick(random, all), random, material))
    const fresh: Uint8Array[] = []
    for (const input of batch) if (await one(target, input, fuzzed, options)) fresh.push(input)
    if (coverage !== undefined && coverage.look() > 0) {
      // The first of those that reach a place is kept for it.
      for (const input of batch) {
        await one(target, input, fuzzed, options)
        if (coverage.take() > 0 && !fresh.includes(input)) fresh.push(input)
      }
    }
    all.push(...fresh)
    fuzzed.kept.push(...fresh)
    if (process.memoryUsage.rss() - before > GROWTH) {
      throw new Finding(
        target,
        batch.at(-1)!,
        `it grew by ${Math.round((process.memoryUsage.rss() - before) / 2 ** 20)} MiB`,
      )
    }
  }
  return fuzzed
}

/** Every other time as the target knows how, if it does. */
function change(target: Target, input: Uint8Array, random: Random, material: Material): Uint8Array {
  const changed = random() < 0.5 ? target.mutate?.(input, random) : undefined
  return changed ?? mutate(input, random, material)
}

/** Runs one input; true for an outcome that was not seen before. */
async function one(
  target: Target,
  input: Uint8Array,
  fuzzed: Fuzzed,
  { watch }: FuzzOptions,
): Promise<boolean> {
  const timed = async () => {
    const start = performance.now()
    watch?.(input)
    const outcome = await runOne(target, input)
    return { outcome, ms: performance.now() - start }
  }
  let { outcome, ms } = await timed()
  // Beside other work: only what is slow twice is slow.
  if (ms > (target.slowMs ?? SLOW_MS)) ms = Math.min(ms, (await timed()).ms)
  if (ms > (target.slowMs ?? SLOW_MS)) throw new Finding(target, input, `took ${Math.round(ms)} ms`)
  fuzzed.runs += 1
  fuzzed.slowestMs = Math.max(fuzzed.slowestMs, ms)
  const count = fuzzed.outcomes.get(outcome) ?? 0
  fuzzed.outcomes.set(outcome, count + 1)
  return count === 0
}

async function runOne(target: Target, input: Uint8Array): Promise<string> {
  try {
    return (await target.run(Uint8Array.from(input))) ?? ''
  } catch (cause) {
    throw new Finding(
      target,
      input,
      cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      cause,
    )
  }
}
