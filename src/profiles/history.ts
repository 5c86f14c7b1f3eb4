// The history of a profile: its generations with their dates and what each one changed, and the moves between them.

import { type Change, changesBetween } from './compare.ts'
import { tryReadEnvironment } from './environment.ts'
import { type Action, type Move, movesThatHappened, readMoves } from './journal.ts'
import { type Generation, generations, type Profile, type ProfileStore, strayNames } from './profile.ts'

export interface HistoryEntry extends Generation {
  /** what made it; undefined when the journal does not tell */
  readonly action: Action | undefined
  /** the generation that it was made from; undefined for the first, and when that one is gone */
  readonly from: number | undefined
  /** against `from`; undefined when an environment cannot be read */
  readonly changes: Change[] | undefined
}

export interface History {
  /** by number, the lowest first */
  readonly generations: HistoryEntry[]
  /** all moves of `current`, the oldest first */
  readonly moves: Move[]
  /** names among the generations that are none */
  readonly strays: string[]
}

/** Throws NO_PROFILE as `generations` does. A damaged generation costs its own changes, not the list. */
export function history(profile: Profile<ProfileStore>): History {
  const all = generations(profile)
  const moves = movesThatHappened(readMoves(profile.journal), all.find(({ current }) => current)?.number)
  const packages = new Map(
    all.map(({ number, cid }) => [number, tryReadEnvironment(profile.store.blocks, cid)]),
  )
  const entries = all.map((generation, index) => {
    const made = moves.find(({ to }) => to === generation.number)
    // Without the journal's word the one before it is the likeliest.
    const from = made === undefined ? all[index - 1]?.number : (made.from ?? undefined)
    const before = from === undefined ? [] : packages.get(from)
    const after = packages.get(generation.number)
    return {
      ...generation,
      action: made?.action,
      from: from !== undefined && packages.has(from) ? from : undefined,
      changes: before && after && changesBetween(before, after),
    }
  })
  return { generations: entries, moves, strays: strayNames(profile) }
}
