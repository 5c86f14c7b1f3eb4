// Switch and rollback: another generation becomes the current one. Nothing is built, so nothing of the importer,
// the index or the network is loaded.

import { PkgError } from '../errors.ts'
import { withLock } from '../files/lock.ts'
import { requireOwnPlace } from '../files/own-place.ts'
import { withRoomToRemove } from '../store/room.ts'
import { type Change, changesBetween } from './compare.ts'
import { requireRoots } from './damaged.ts'
import { tryReadEnvironment } from './environment.ts'
import { type Action, movesThatHappened, readMoves, wayBack } from './journal.ts'
import {
  currentNumber,
  findCurrentGeneration,
  type Generation,
  generationLink,
  generationNumbers,
  type Profile,
  type ProfileStore,
  requireGeneration,
} from './profile.ts'
import { readInstalled } from './read-installed.ts'
import { ensureTrees } from './trees.ts'
import { requireWritable } from './writable.ts'
import { moveCurrent, type OnStep, PROFILE_PROG } from './write.ts'

export interface SwitchOptions {
  readonly signal?: AbortSignal | undefined
  readonly onStep?: OnStep | undefined
  /** say what would change and leave it */
  readonly dryRun?: boolean | undefined
}

export interface ProfileSwitch {
  /** false when it is the current one already */
  readonly changed: boolean
  /** empty when the generation that was current cannot be read */
  readonly changes: Change[]
  readonly generation: number
  readonly previous: number | undefined
  readonly cid: Generation['cid']
}

/** Makes `number` the current generation. Idempotent. Throws NO_GENERATION, MISSING_BLOCK when it is damaged, BUSY, PERMISSION for root in another user's directory. */
export function switchGeneration(
  profile: Profile<ProfileStore>,
  number: number,
  options: SwitchOptions = {},
): Promise<ProfileSwitch> {
  return move(profile, () => number, { ...options, action: 'switch' })
}

/**
 * Goes back to the generation that was current before the current one was come to; again, to the one before that.
 * With `to`, to that one, and further rollbacks go on from there. Throws NO_GENERATION when there is no way back.
 */
export function rollback(
  profile: Profile<ProfileStore>,
  { to, ...options }: SwitchOptions & { readonly to?: number | undefined } = {},
): Promise<ProfileSwitch> {
  return move(profile, () => to ?? cameFrom(profile), { ...options, action: 'rollback' })
}

/** The generation that a rollback would go to. Throws NO_GENERATION when there is none. */
export function cameFrom(profile: Profile<ProfileStore>): number {
  const target = findCameFrom(profile)
  if (target !== undefined) return target
  const current = currentNumber(profile)
  const there = generationNumbers(profile)
  if (current === undefined && there.length === 0) {
    throw new PkgError('NO_GENERATION', `there is no generation yet in ${profile.dir}`, {
      hint: 'Install something.',
    })
  }
  const others = there.filter((number) => number !== current)
  const gone = passedOver(profile)[0]
  const why = gone === undefined ? '' : `: generation ${gone}, where you came from, was deleted`
  throw new PkgError('NO_GENERATION', `there is nothing to go back to in ${profile.dir}${why}`, {
    hint: others.length === 0 ? 'It is the only generation.' : `Name one: pkg rollback --to ${others.at(-1)}`,
  })
}

/** The same; undefined when there is none. */
export function findCameFrom(profile: Profile<ProfileStore>): number | undefined {
  const current = currentNumber(profile)
  const there = generationNumbers(profile)
  return wayThere(profile, current, there).findLast((number) => number !== current && there.includes(number))
}

/** The generations that are gone and that a rollback without a number would have gone to first, the nearest first. */
export function passedOver(profile: Profile<ProfileStore>): number[] {
  const current = currentNumber(profile)
  const there = generationNumbers(profile)
  const way = wayThere(profile, current, there).filter((number) => number !== current)
  const at = way.findLastIndex((number) => there.includes(number))
  return [...new Set(way.slice(at + 1).reverse())]
}

function wayThere(
  profile: Profile<ProfileStore>,
  current: number | undefined,
  there: readonly number[],
): number[] {
  const moves = readMoves(profile.journal)
  // A profile whose journal was lost: what came before is the best that is known of the way.
  if (moves.length === 0) return there.filter((number) => current !== undefined && number < current)
  return wayBack(movesThatHappened(moves, current))
}

type MoveContext = SwitchOptions & { readonly action: Action }

async function move(
  profile: Profile<ProfileStore>,
  choose: () => number,
  context: MoveContext,
): Promise<ProfileSwitch> {
  const { signal, onStep, action, dryRun } = context
  // Looked up before the lock too: a profile that does not exist has no directory to lock in.
  const wanted = requireGeneration(profile, choose())
  requireOwnPlace(profile.generationsDir)
  requireWritable(profile)
  if (dryRun) return describe(profile, wanted)
  const run = async (lost: AbortSignal) => {
    const target = requireGeneration(profile, choose())
    // First kept, then looked at: a change that was killed right after its link may have left it without an auto pin.
    if (profile.external) await keepGeneration(profile, target.number)
    const result = describe(profile, target)
    await ensureTrees(profile.store, target.cid, { signal })
    if (result.changed) moveCurrent(profile, target.number, { from: result.previous, action, onStep, lost })
    return result
  }
  return withRoomToRemove(profile.store.paths, () => withLock(profile.lock, run, signal ? { signal } : {}))
}

async function keepGeneration(profile: Profile<ProfileStore>, number: number): Promise<void> {
  const { autoPin } = await import('../pins/auto-pin.ts')
  await autoPin(profile.store, generationLink(profile, number), { prog: PROFILE_PROG })
}

/** Reads the target: a generation whose blocks are gone is refused before anything moves. */
function describe(profile: Profile<ProfileStore>, target: Generation): ProfileSwitch {
  const { blocks } = profile.store
  // Away from a `current` that leads to none has to be possible, and away from a damaged generation.
  const current = findCurrentGeneration(profile)
  const previous = currentNumber(profile)
  const after = readInstalled(profile, target)
  requireRoots(blocks, after)
  const before = current === undefined ? [] : tryReadEnvironment(blocks, current.cid)
  return {
    changed: previous !== target.number,
    changes: before === undefined ? [] : changesBetween(before, after),
    generation: target.number,
    previous,
    cid: target.cid,
  }
}
