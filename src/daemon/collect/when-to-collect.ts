// When the daemon collects by itself, and how much: from the settings, the free
// space and the last collection. Pure.

import { formatBytes, type Share, shareBytes } from '../../amounts.ts'
import type { CollectionOptions } from '../../collector/options.ts'
import type { RetentionPolicy } from '../../collector/retention.ts'
import type { Config } from '../../config.ts'

/** What nobody keeps may be what somebody keeps with the next command (`store add`, then `pin add`): so long, in ms, it stays. */
const LEAST_GRACE_MS = 10 * 60_000

export type Situation = {
  /** of the file system: what every user may use, and all of it, in bytes */
  freeBytes: number
  totalBytes: number
  now: number
  /** when the last collection that was run to its end ended; undefined when none is known */
  lastMs: number | undefined
}

export type Occasion = {
  /** for the log */
  why: string
  policy: RetentionPolicy
  options: Pick<CollectionOptions, 'ensureFreeBytes' | 'graceMs' | 'waitMs'>
}

type Settings = Pick<
  Config,
  'gc.minFree' | 'gc.maxFree' | 'gc.interval' | 'gc.keep' | 'gc.deleteOlderThan' | 'gc.graceSeconds'
>

/** The collection that is due now; undefined when none is. Little space comes before the clock. */
export function dueCollection(settings: Settings, situation: Situation): Occasion | undefined {
  const { freeBytes, totalBytes, now, lastMs } = situation
  const policy = { keep: settings['gc.keep'], olderThanMs: settings['gc.deleteOlderThan'] }
  const graceMs = Math.max(LEAST_GRACE_MS, settings['gc.graceSeconds'] * 1000)
  // Somebody else's collection will do as well.
  const options = { graceMs, waitMs: 0 }
  const bytesOf = (share: Share | undefined) => share && shareBytes(share, totalBytes)
  const least = bytesOf(settings['gc.minFree'])
  if (least !== undefined && freeBytes < least) {
    const enough = bytesOf(settings['gc.maxFree'])
    return {
      why: `${formatBytes(freeBytes)} are free, which is less than ${formatBytes(least)}`,
      policy,
      options: { ...options, ...(enough !== undefined && { ensureFreeBytes: Math.max(least, enough) }) },
    }
  }
  const interval = settings['gc.interval']
  // A date in the future was written by a clock that was wrong.
  const isDue = lastMs === undefined || lastMs > now || now - lastMs >= (interval ?? Number.POSITIVE_INFINITY)
  if (interval === undefined || !isDue) return undefined
  const why =
    lastMs === undefined
      ? 'no collection is known of'
      : `the last one was at ${new Date(lastMs).toISOString()}`
  return { why, policy, options }
}

/** What was switched on, for people: `when less than 1.0 GiB is free`. */
export function describeTriggers(settings: Settings): string {
  const text = (share: Share) => ('bytes' in share ? formatBytes(share.bytes) : `${share.percent}%`)
  const { 'gc.minFree': least, 'gc.maxFree': enough, 'gc.interval': interval } = settings
  const parts = [
    least &&
      `when less than ${text(least)} ${'bytes' in least ? 'are' : 'is'} free${enough ? `, until ${text(enough)} are` : ''}`,
    interval !== undefined && `every ${duration(interval)}`,
  ]
  const when = parts.filter((part) => typeof part === 'string').join('; ')
  return when === '' ? 'only when asked to' : [when, ...describePolicy(settings)].join('; ')
}

/** Which generations go then: nobody is asked, so it is told beforehand. */
function describePolicy({ 'gc.keep': keep, 'gc.deleteOlderThan': age }: Settings): string[] {
  const beyond = [
    keep !== undefined && `beyond the newest ${keep} of each profile`,
    age !== undefined && `made more than ${duration(age)} ago`,
  ].filter((part) => typeof part === 'string')
  return beyond.length === 0 ? [] : [`deletes generations ${beyond.join(' and ')}`]
}

const UNITS_MS = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1000 }

/** In the largest unit that makes it a whole number, as it was written. */
function duration(ms: number): string {
  const [unit, factor] = Object.entries(UNITS_MS).find(([, each]) => ms % each === 0) ?? ['ms', 1]
  return `${ms / factor} ${unit}`
}
