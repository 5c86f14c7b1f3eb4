// Install, remove, upgrade: a new list of packages, the environment for it, a generation, a move of `current`.
//
// The profile's lock is held from reading the list to the move, so that changes at once take effect one after the
// other. It is the profile's own: the store's lock is not touched, and no collector waits for a build.
// Order (invariant 4): protect and check the closures, build, barrier, trees (where nothing is mounted), generation
// link, auto pin, journal, rename.
// The session's temp pin covers everything until the links do.

import { lstatSync } from 'node:fs'
import { PkgError } from '../errors.ts'
import { symlinkAtomic } from '../files/atomic.ts'
import { makeDirectory, makePrefixDirectory } from '../files/directory.ts'
import { withLock } from '../files/lock.ts'
import { requireOwnPlace } from '../files/own-place.ts'
import { autoPin } from '../pins/auto-pin.ts'
import { type AddSession, withAdd } from '../store/add/add.ts'
import type { CID } from '../store/cid.ts'
import { withRoomToRemove } from '../store/room.ts'
import { keepSpare } from '../store/spare.ts'
import { type Change, changesBetween } from './compare.ts'
import { namingPackages } from './damaged.ts'
import { buildEnvironment, environmentCid } from './environment.ts'
import { type InstalledPackage, sortByName } from './installed.ts'
import { type Action, readMoves } from './journal.ts'
import {
  currentNumber,
  type Generation,
  generationLink,
  generationNumbers,
  generationTarget,
  type Profile,
  readCurrent,
  requireGeneration,
  requireProfile,
} from './profile.ts'
import { readInstalled } from './read-installed.ts'
import { findCameFrom } from './switch.ts'
import { ensureTrees } from './trees.ts'
import { done, moveCurrent, type OnStep, PROFILE_PROG } from './write.ts'

/** How long to wait for other changes of the profile, in ms: twenty of them at once, each some seconds long. */
const LOCK_WAIT_MS = 5 * 60_000

/** Gives the new list for the one that is installed. It may run at any time after the call, and exactly once. */
export type Edit = (
  installed: InstalledPackage[],
) => readonly InstalledPackage[] | Promise<readonly InstalledPackage[]>

export interface ChangeOptions {
  readonly action: Extract<Action, 'install' | 'remove' | 'upgrade'>
  /** make the plan and stop there: what stands in the way is found, no link is written, no lock is taken */
  readonly dryRun?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onStep?: OnStep | undefined
}

export interface ProfileChange {
  /** false when the list is what it was: then there is no new generation */
  readonly changed: boolean
  readonly changes: Change[]
  /** the generation in force afterwards; in a dry run the one that would be; undefined before the first */
  readonly generation: number | undefined
  readonly previous: number | undefined
  /** the environment in force afterwards, or in a dry run the one that would be; undefined before the first */
  readonly cid: CID | undefined
}

/**
 * Runs `edit` on the installed packages and makes the result the profile's next generation. When it returns, the
 * new generation is on stable storage. Throws COLLISION, INCOMPLETE, MISSING_BLOCK, BUSY, USAGE for two packages
 * of one name, NO_PROFILE to remove or upgrade where there is none, EXISTS where `current` is something else,
 * PERMISSION (for root also in another user's directory), NO_SPACE, and what `edit` throws; the profile then is what it was.
 */
export async function changeProfile(
  profile: Profile,
  edit: Edit,
  options: ChangeOptions,
): Promise<ProfileChange> {
  if (options.action !== 'install') requireProfile(profile)
  // Looked at before anything is made: the directory may be somebody's who keeps other things there.
  currentNumber(profile)
  requireOwnPlace(profile.generationsDir)
  const { paths } = profile.store
  if (options.action === 'remove') return withRoomToRemove(paths, () => changeInPlace(profile, edit, options))
  const result = await changeInPlace(profile, edit, options)
  if (!options.dryRun) keepSpare(paths)
  return result
}

async function changeInPlace(profile: Profile, edit: Edit, options: ChangeOptions): Promise<ProfileChange> {
  if (options.dryRun)
    return withAdd(profile.store, async (add) => outcomeOf(await plan(profile, edit, { add })))
  if (profile.external) makeDirectory(profile.generationsDir)
  else makePrefixDirectory(profile.generationsDir)
  const run = (lost: AbortSignal) =>
    withAdd(profile.store, (add) => change(profile, edit, { ...options, add, lost }))
  return withLock(profile.lock, run, {
    waitMs: LOCK_WAIT_MS,
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

type ChangeContext = ChangeOptions & { readonly add: AddSession; readonly lost: AbortSignal }

async function change(profile: Profile, edit: Edit, context: ChangeContext): Promise<ProfileChange> {
  const { add, action, onStep, lost, signal } = context
  done('locked', onStep)
  const planned = await plan(profile, edit, { add, signal, build: buildEnvironment })
  const { from, wanted, next } = planned
  if (next === undefined) {
    const { cid } = outcomeOf(planned)
    // The store may have been mounted when it was made.
    if (cid !== undefined) await ensureTrees(profile.store, cid, { signal })
    return outcomeOf(planned)
  }
  const { cid, number } = next
  done('built', onStep)
  await add.commit([...wanted.map((one) => one.cid), cid])
  done('synced', onStep)
  await ensureTrees(profile.store, cid, { signal })
  done('checked-out', onStep)
  signal?.throwIfAborted()
  if (next.isNew) symlinkAtomic(generationTarget(profile, cid), generationLink(profile, number))
  done('linked', onStep)
  if (profile.external) await autoPin(profile.store, generationLink(profile, number), { prog: PROFILE_PROG })
  done('pinned', onStep)
  moveCurrent(profile, number, { from, action, onStep, lost })
  return outcomeOf(planned)
}

type Plan = {
  /** the number that `current` names, and the generation that the change goes on from */
  readonly from: number | undefined
  readonly before: Generation | undefined
  readonly wanted: readonly InstalledPackage[]
  readonly changes: Change[]
  /** the generation to go to; undefined when the list is what it was */
  readonly next: Next | undefined
}

type Next = {
  readonly cid: CID
  readonly number: number
  /** its link is not there yet */
  readonly isNew: boolean
}

type PlanContext = Pick<ChangeContext, 'add' | 'signal'> & {
  /** gives the environment's root, written or only told */
  readonly build?: typeof environmentCid | typeof buildEnvironment
}

/** What the change would do, for a dry run, or will do, for a run, which holds the lock: all that can be refused is refused here. */
async function plan(
  profile: Profile,
  edit: Edit,
  { add, signal, build = environmentCid }: PlanContext,
): Promise<Plan> {
  const { before, from, installed } = installedBefore(profile)
  const { wanted, changes } = await nextList(installed, edit)
  if (changes.length === 0 && before?.number === from)
    return { from, before, wanted, changes, next: undefined }
  const cid = await namingPackages(add.store, wanted, async () => {
    await add.rely(wanted.map((one) => one.cid))
    signal?.throwIfAborted()
    return await build(add, wanted, installed)
  })
  return { from, before, wanted, changes, next: nextGeneration(profile, cid) }
}

function outcomeOf({ before, changes, next }: Plan): ProfileChange {
  return {
    changed: next !== undefined,
    changes,
    generation: (next ?? before)?.number,
    previous: before?.number,
    cid: (next ?? before)?.cid,
  }
}

type InstalledBefore = {
  before: Generation | undefined
  /** what `current` names */
  from: number | undefined
  installed: InstalledPackage[]
}

/**
 * The generation that a change goes on from: the current one. Where `current` leads to none (somebody deleted
 * it), the one that a rollback would go to, or else the latest: so the packages that are known stay installed.
 */
function installedBefore(profile: Profile): InstalledBefore {
  return readCurrent(profile, (current, from) => {
    const before = current ?? (from === undefined ? undefined : findLatest(profile))
    return { before, from, installed: before === undefined ? [] : readInstalled(profile, before) }
  })
}

function findLatest(profile: Profile): Generation | undefined {
  const number = findCameFrom(profile) ?? generationNumbers(profile).at(-1)
  return number === undefined ? undefined : requireGeneration(profile, number)
}

async function nextList(
  installed: readonly InstalledPackage[],
  edit: Edit,
): Promise<{ wanted: InstalledPackage[]; changes: Change[] }> {
  const wanted = sortByName(await edit([...installed]))
  const twice = wanted.find(({ name }, index) => wanted[index + 1]?.name === name)
  if (twice !== undefined) {
    throw new PkgError('USAGE', `${twice.name} is asked for twice`, {
      hint: 'A profile holds one version of a package.',
    })
  }
  return { wanted, changes: changesBetween(installed, wanted) }
}

/**
 * The generation for this environment. The highest one is taken again when it holds just that: it is left
 * over from a change that was killed, or one that was rolled back and now is done again.
 */
function nextGeneration(profile: Profile, cid: CID): Next {
  const highest = generationNumbers(profile).at(-1)
  if (highest !== undefined && requireGeneration(profile, highest).cid.equals(cid)) {
    return { cid, number: highest, isNew: false }
  }
  return { cid, number: nextNumber(profile), isNew: true }
}

/**
 * Higher than every generation that there is or was: a number in the journal never means two environments. A name
 * that something else has is passed over.
 */
function nextNumber(profile: Profile): number {
  const told = readMoves(profile.journal).map(({ to }) => to)
  const known = [...generationNumbers(profile), ...told, currentNumber(profile) ?? 0]
  let number = known.reduce((highest, one) => Math.max(highest, one), 0) + 1
  while (lstatSync(generationLink(profile, number), { throwIfNoEntry: false }) !== undefined) number++
  return number
}
