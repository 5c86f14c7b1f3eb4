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

export type Pairs = { ours: number; reference: number; ratio: number }

/** Rounds of ours and the reference in turns, the order changing; medians, and the median of the ratios. */
export async function inPairs(
  rounds: number,
  ours: () => number | Promise<number>,
  reference: () => number | Promise<number>,
): Promise<Pairs> {
  const pairs: { ours: number; reference: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0 ? await reference() : undefined
    const time = await ours()
    pairs.push({ ours: time, reference: first ?? (await reference()) })
  }
  return {
    ours: median(pairs.map((pair) => pair.ours)),
    reference: median(pairs.map((pair) => pair.reference)),
    ratio: median(pairs.map((pair) => pair.ours / pair.reference)),
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
