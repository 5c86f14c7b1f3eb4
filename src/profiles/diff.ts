// The difference of two generations: packages, and bytes by the blocks that each one reaches.

import { closureSize } from '../store/links/closure.ts'
import { type Change, type ChangeKind, changesBetween } from './compare.ts'
import { type Profile, requireGeneration } from './profile.ts'
import { readInstalled } from './read-installed.ts'

export interface GenerationDiff {
  readonly from: number
  readonly to: number
  readonly added: Change[]
  readonly removed: Change[]
  readonly upgraded: Change[]
  readonly downgraded: Change[]
  /** the same version, in another build or asked for in another way */
  readonly changed: Change[]
  /** bytes of all blocks that `to` reaches less those of `from`, each block once; below zero when it shrinks */
  readonly sizeChange: number
}

/** Compares two generations. Throws NO_GENERATION, INCOMPLETE and MISSING_BLOCK for one that is damaged. */
export function diffGenerations(profile: Profile, from: number, to: number): GenerationDiff {
  const { store } = profile
  const [before, after] = [requireGeneration(profile, from), requireGeneration(profile, to)]
  const changes = changesBetween(readInstalled(profile, before), readInstalled(profile, after))
  const of = (kind: ChangeKind) => changes.filter((change) => change.kind === kind)
  return {
    from,
    to,
    added: of('added'),
    removed: of('removed'),
    upgraded: of('upgraded'),
    downgraded: of('downgraded'),
    changed: of('changed'),
    sizeChange: closureSize(store, after.cid).bytes - closureSize(store, before.cid).bytes,
  }
}
