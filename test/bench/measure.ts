// Taking times: whole processes, in pairs, so that what else the machine does
// meets both sides alike.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

type RunOptions = { cwd?: string; env?: NodeJS.ProcessEnv }

/** Milliseconds from the start of a program to its end. Throws when it fails; its output goes nowhere. */
export function timeOf([program, ...args]: readonly string[], options: RunOptions = {}): number {
  const start = performance.now()
  const { status, signal, stderr, error } = spawnSync(program!, args, {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: Number.POSITIVE_INFINITY,
  })
  const time = performance.now() - start
  if (status === 0) return time
  throw new Error(`${program} ${args.join(' ')}: ${error ?? `${status ?? signal} ${stderr}`}`)
}

/** What a program prints. Throws when it fails. */
export function outputOf([program, ...args]: readonly string[], options: RunOptions = {}): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program!, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: Number.POSITIVE_INFINITY,
  })
  if (status === 0) return stdout
  throw new Error(`${program} ${args.join(' ')}: ${error ?? `${status ?? signal} ${stderr}`}`)
}

/** Milliseconds of a shell command in a directory. */
export function timeOfShell(command: string, cwd: string, env: NodeJS.ProcessEnv = {}): number {
  return timeOf(['sh', '-c', `${command} > /dev/null`], { cwd, env: { ...process.env, ...env } })
}

/** Earlier writes reach the disk first: they would be paid for by whoever comes next. */
export function settle(): void {
  spawnSync('sync')
}

export const MAY_DROP_CACHES = process.getuid?.() === 0

/** Forgets what the kernel has of any file system. Takes root. */
export function dropCaches(): void {
  settle()
  writeFileSync('/proc/sys/vm/drop_caches', '3')
}

export type Turns = { ours: number; reference: number; ratio: number; peers: Record<string, number> }

type Timed = () => number | Promise<number>

/**
 * Rounds in which each takes its turn, a different one first each time. Gives
 * medians, and the median of the rounds' ratios of ours to the reference.
 */
export async function inTurns(
  rounds: number,
  { ours, reference, peers = {} }: { ours: Timed; reference: Timed; peers?: Record<string, Timed> },
): Promise<Turns> {
  const all = [reference, ours, ...Object.values(peers)]
  const times = all.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < all.length; turn++) {
      const index = (round + turn) % all.length
      times[index]!.push(await all[index]!())
    }
  }
  const [references = [], own = [], ...others] = times
  return {
    ours: median(own),
    reference: median(references),
    ratio: median(own.map((time, round) => time / references[round]!)),
    peers: Object.fromEntries(Object.keys(peers).map((name, index) => [name, median(others[index]!)])),
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
