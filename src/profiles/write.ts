// Moving a profile's links. Keeps invariants 3 and 4: the caller has put the environment's closure on stable
// storage and holds the profile's lock; the move is told in the journal, then made by one rename.

import { PkgError } from '../errors.ts'
import { symlinkAtomic } from '../files/atomic.ts'
import { failpoint } from '../files/failpoint.ts'
import { type Action, appendMove } from './journal.ts'
import { currentNumber, type Profile, type ProfileStore } from './profile.ts'

/** The name of the auto pins that keep the generations of profiles outside the prefix. */
export const PROFILE_PROG = 'profile'

/** The steps of a change, in order. After each one a process may be killed: the profile is the old one or the new one. */
export const CHANGE_STEPS = [
  'locked',
  'built',
  'synced',
  'checked-out',
  'linked',
  'pinned',
  'journaled',
  'switched',
] as const

export type ChangeStep = (typeof CHANGE_STEPS)[number]

export type OnStep = (step: ChangeStep) => void

/** Tells that a step is done; a test may have the process killed right here (see files/failpoint.ts). */
export function done(step: ChangeStep, onStep?: OnStep): void {
  onStep?.(step)
  failpoint(`profile:${step}`)
}

export interface MoveOptions {
  readonly from: number | undefined
  readonly action: Action
  readonly onStep?: OnStep | undefined
  /** aborted when the lock was lost: see files/lock.ts */
  readonly lost: AbortSignal
}

/** Makes `to` the current generation. Throws BUSY, with nothing done, when another process moved it meanwhile. */
export function moveCurrent(
  profile: Profile<ProfileStore>,
  to: number,
  { from, action, onStep, lost }: MoveOptions,
): void {
  // The lock can be lost by a process that was stopped for long; then the other's change must not be undone.
  if (lost.aborted || currentNumber(profile) !== from) {
    throw new PkgError('BUSY', `${profile.dir} was changed by another process meanwhile`, {
      hint: 'Try again.',
    })
  }
  appendMove(profile.journal, { time: new Date().toISOString(), from: from ?? null, to, action })
  done('journaled', onStep)
  symlinkAtomic(`generations/${to}`, profile.currentLink)
  done('switched', onStep)
}
