// Which generations are old: a pure plan over what is there.
// Never the current one, never one that another link leads through, and none at
// all of a profile of which we cannot tell what is current.

import { PkgError } from '../errors.ts'
import type { CID } from '../store/cid.ts'

export type RetentionPolicy = {
  /** of each profile this many generations stay, those with the highest numbers */
  keep?: number | undefined
  /** only generations made longer ago than this go, in ms */
  olderThanMs?: number | undefined
}

export type Generation = {
  profile: string
  number: number
  /** its link */
  path: string
  cid: CID
  created: Date
  current: boolean
  /** another link leads through it: another profile's, or one of a user's own */
  named: boolean
  /** of a profile outside the prefix: the auto pin that keeps it */
  autoPin?: string
}

/**
 * The generations that the policy lets go, by profile and number. With both
 * limits only those go that are beyond both; with none, none does. Throws USAGE
 * for limits that are none.
 */
export function oldGenerations(
  generations: readonly Generation[],
  { keep, olderThanMs }: RetentionPolicy,
  now = Date.now(),
): Generation[] {
  refuseWrong('keep', keep)
  refuseWrong('olderThanMs', olderThanMs)
  if (keep === undefined && olderThanMs === undefined) return []
  return [...Map.groupBy(generations, (generation) => generation.profile).values()].flatMap((all) => {
    if (all.filter((one) => one.current).length !== 1) return []
    const newestFirst = all.toSorted((a, b) => b.number - a.number)
    const old = newestFirst.slice(keep ?? 0).filter((one) => {
      const aged = olderThanMs === undefined || now - one.created.getTime() > olderThanMs
      return aged && !one.current && !one.named
    })
    return old.reverse()
  })
}

/** A generation that stays though its profile has more than `keep`, and why. */
export type KeptGeneration = {
  profile: string
  number: number
  /** `unknown`: which one is current cannot be told, so all of the profile stay */
  why: 'newest' | 'current' | 'named' | 'young' | 'unknown'
}

/** All that stay of the profiles that have more than `keep` left when the old ones are gone, by profile and number. */
export function keptBeyond(
  generations: readonly Generation[],
  policy: RetentionPolicy,
  now = Date.now(),
): KeptGeneration[] {
  const { keep } = policy
  if (keep === undefined) return []
  const old = new Set(oldGenerations(generations, policy, now))
  return [...Map.groupBy(generations, ({ profile }) => profile).values()].flatMap((all) => {
    const left = all.filter((one) => !old.has(one)).sort((a, b) => a.number - b.number)
    if (left.length <= Math.max(keep, 1)) return []
    const newest = new Set(all.toSorted((a, b) => b.number - a.number).slice(0, keep))
    const isKnown = all.filter((one) => one.current).length === 1
    return left.map((one) => {
      const { profile, number, current, named } = one
      const beyond = current ? 'current' : named ? 'named' : 'young'
      return { profile, number, why: !isKnown ? 'unknown' : newest.has(one) && !current ? 'newest' : beyond }
    })
  })
}

function refuseWrong(name: string, limit: number | undefined): void {
  if (
    limit === undefined ||
    (limit >= 0 && !Number.isNaN(limit) && (name !== 'keep' || Number.isInteger(limit)))
  )
    return
  throw new PkgError('USAGE', `${limit} is not a limit for ${name}`)
}
