// Modification times: as a DAG stores them (64 bits of seconds), as numbers carry them, and
// as file systems keep them.

import type { Stats } from 'node:fs'

/**
 * `seconds` since 1970, a safe integer: the nearest one where the stored number is beyond
 * 2^53 - 1, and that is `stored` then.
 */
export type Mtime = { seconds: number; nanoseconds: number; stored?: bigint }

/** Node sets and tells times in milliseconds and fractions of them; a stored time may be finer. */
const TIME_MS = 1

/** The largest time in milliseconds that a Date holds (ECMA-262, "Time Values and Time Range"). */
const MAX_DATE_MS = 8.64e15

/** What every file system of Linux can hold: seconds in 32 bits, signed. */
const [MIN_32_MS, MAX_32_MS] = [-(2 ** 31) * 1000, (2 ** 31 - 1) * 1000]

export function mtimeOf(seconds: bigint, nanoseconds: number): Mtime {
  const nearest = Math.min(Math.max(Number(seconds), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  return BigInt(nearest) === seconds
    ? { seconds: nearest, nanoseconds }
    : { seconds: nearest, nanoseconds, stored: seconds }
}

export function storedSeconds({ seconds, stored = BigInt(seconds) }: Mtime): bigint {
  return stored
}

/** For Node's utimes functions, which take a negative number for "now", but no Date. */
export function forUtimes({ seconds, nanoseconds }: Mtime): number | Date {
  const time = seconds + nanoseconds / 1e9
  return time >= 0 ? time : new Date(Math.max(time * 1000, -MAX_DATE_MS))
}

/** True when a file that got the time still has it: a file system keeps the nearest that it can. */
export function hasTime({ mtimeMs }: Pick<Stats, 'mtimeMs'>, { seconds, nanoseconds }: Mtime): boolean {
  const time = seconds * 1000 + nanoseconds / 1e6
  if (Math.abs(mtimeMs - time) <= TIME_MS) return true
  if (time > MAX_32_MS) return mtimeMs >= MAX_32_MS
  return time < MIN_32_MS && mtimeMs <= MIN_32_MS
}
