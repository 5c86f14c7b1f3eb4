// A profile on disk: generations/<n> are links to environments, current is a link to one of them. Reading only;
// change.ts and switch.ts write. Nothing here needs the mount: a generation's CID is the text of its link.

import { lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { lookAtLink, readLinkOrUndefined } from '../files/atomic.ts'
import { checkName, storePath, userName } from '../paths.ts'
import { generationNumber, UNFINISHED } from '../pins/names.ts'
import type { CheckoutStore } from '../store/checkout/check-out.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import type { Store } from '../store/store.ts'

/** What reading a profile and switching it need of a store: neither its index nor its writer. */
export type ProfileStore = CheckoutStore

export interface Profile<S extends ProfileStore = Store> {
  readonly store: S
  readonly dir: string
  readonly generationsDir: string
  /** the link that a switch renames */
  readonly currentLink: string
  readonly journal: string
  readonly lock: string
  /** It lies outside the prefix (`--profile PATH`): its links are absolute, and auto pins keep them alive. */
  readonly external: boolean
}

export interface Generation {
  readonly number: number
  /** the environment */
  readonly cid: CID
  readonly created: Date
  readonly current: boolean
}

export interface OpenProfileOptions {
  /** the directory of a profile of one's own; default the user's profile in the prefix */
  readonly path?: string | undefined
  /** whose profile; default who runs this */
  readonly user?: string | undefined
}

/** Names a profile; touches no file. Throws BAD_NAME for a user that cannot be a directory. */
export function openProfile<S extends ProfileStore>(
  store: S,
  { path, user }: OpenProfileOptions = {},
): Profile<S> {
  const own = join(store.paths.profilesPerUser, checkName(user ?? userName(), 'user name'))
  const dir = path === undefined ? own : resolve(path)
  return {
    store,
    dir,
    generationsDir: join(dir, 'generations'),
    currentLink: join(dir, 'current'),
    journal: join(dir, 'journal.jsonl'),
    lock: join(dir, 'lock'),
    external: dirname(dir) !== store.paths.profilesPerUser,
  }
}

/**
 * How often what `current` named may be deleted, after a switch away from it, while it is read: only who does nothing
 * else but switch and delete brings it that far.
 */
const TRIES = 100

/** All generations, the lowest number first; empty before the first. Throws NO_PROFILE for a path without a profile. */
export function generations(profile: Profile<ProfileStore>): Generation[] {
  requireProfile(profile)
  for (let tries = 1; ; tries++) {
    const current = currentNumber(profile)
    const all = generationNumbers(profile).flatMap((number) => readGeneration(profile, number, current) ?? [])
    const isWhole = current === undefined || all.some((one) => one.current)
    if (isWhole || !hasMoved(profile, current, tries)) return all
  }
}

/** The generation of that number. Throws NO_GENERATION, naming those that there are. */
export function requireGeneration(profile: Profile<ProfileStore>, number: number): Generation {
  const found = readGeneration(profile, number, currentNumber(profile))
  if (found !== undefined) return found
  const there = generationNumbers(profile).join(', ')
  throw new PkgError('NO_GENERATION', `there is no generation ${number} in ${profile.dir}`, {
    hint: there === '' ? 'There is none yet: install something.' : `There are: ${there}`,
  })
}

/** The generation in force; undefined before the first. Throws NO_GENERATION when `current` leads to none. */
export function currentGeneration(profile: Profile<ProfileStore>): Generation | undefined {
  return readCurrent(profile, (generation, number) => {
    if (number === undefined || generation !== undefined) return generation
    const there = generationNumbers(profile).join(', ')
    throw new PkgError(
      'NO_GENERATION',
      `${profile.currentLink} leads to generation ${number}, which is not there`,
      {
        hint:
          there === ''
            ? 'The next `pkg install` mends that.'
            : `\`pkg switch <n>\` mends that. There are: ${there}`,
      },
    )
  })
}

/** The same for those who mend it: undefined also when `current` leads to none. */
export function findCurrentGeneration(profile: Profile<ProfileStore>): Generation | undefined {
  return readCurrent(profile, (generation) => generation)
}

/**
 * What `read` makes of the generation in force and of the number that `current` names; each is undefined where there
 * is none. A switch, and a collection behind it, may take the generation and its blocks away under the reader: where
 * it is gone, or `read` throws, and `current` names another one by now, that one is read.
 */
export function readCurrent<T>(
  profile: Profile<ProfileStore>,
  read: (generation: Generation | undefined, number: number | undefined) => T,
): T {
  for (let tries = 1; ; tries++) {
    const number = currentNumber(profile)
    const generation = number === undefined ? undefined : readGeneration(profile, number, number)
    const isGone = generation === undefined && number !== undefined
    if (isGone && hasMoved(profile, number, tries)) continue
    try {
      return read(generation, number)
    } catch (error) {
      if (!hasMoved(profile, number, tries)) throw error
    }
  }
}

function hasMoved(profile: Profile<ProfileStore>, from: number | undefined, tries: number): boolean {
  return tries < TRIES && currentNumber(profile) !== from
}

/** The number that `current` names. Throws EXISTS when something else of that name is in the way. */
export function currentNumber({ currentLink }: Pick<Profile, 'currentLink'>): number | undefined {
  const target = lookAtLink(currentLink)
  if (target === undefined) return undefined
  const number = generationNumber(/^generations\/(.*)$/.exec(target ?? '')?.[1])
  if (number !== undefined) return number
  throw new PkgError('EXISTS', `${currentLink} is not a profile's link to a generation`, {
    hint: 'Choose another directory for the profile, or move that out of the way.',
  })
}

/** The numbers of the generations, ascending; none where there is no profile yet. */
export function generationNumbers(profile: Pick<Profile, 'generationsDir'>): number[] {
  const numbers = namesIn(profile)
    .filter((name) => isGeneration(profile, name))
    .map(Number)
  return numbers.sort((a, b) => a - b)
}

/** What else lies among the generations, sorted: none of ours, and in nobody's way. */
export function strayNames(profile: Pick<Profile, 'generationsDir'>): string[] {
  return namesIn(profile)
    .filter((name) => !name.startsWith(UNFINISHED) && isStray(profile, name))
    .sort()
}

export function generationLink({ generationsDir }: Pick<Profile, 'generationsDir'>, number: number): string {
  return join(generationsDir, String(number))
}

/** What a generation's link says: relative inside the prefix, so that a prefix may be moved; else absolute. */
export function generationTarget(profile: Profile<ProfileStore>, environment: CID): string {
  const path = storePath(profile.store.paths, environment.toV1())
  return profile.external ? path : relative(profile.generationsDir, path)
}

/** Throws NO_PROFILE for a path that holds none: more likely a slip than, as a user's own may be, still empty. */
export function requireProfile({ external, generationsDir, dir }: Profile<ProfileStore>): void {
  if (!external || isThere(generationsDir)) return
  throw new PkgError('NO_PROFILE', `there is no profile in ${dir}`, {
    hint: 'The first package that is installed there makes it.',
  })
}

function readGeneration(
  profile: Profile<ProfileStore>,
  number: number,
  current: number | undefined,
): Generation | undefined {
  const link = generationLink(profile, number)
  const cid = environmentOf(profile, String(number))
  const stats = lstatSync(link, { throwIfNoEntry: false })
  if (cid === undefined || stats === undefined) return undefined
  return { number, cid, created: stats.mtime, current: number === current }
}

/** The CID that a generation's link leads to; undefined for any other name, and for what is no such link. */
function environmentOf({ generationsDir }: Pick<Profile, 'generationsDir'>, name: string): CID | undefined {
  if (generationNumber(name) === undefined) return undefined
  return tryParseCid(basename(readLinkOrUndefined(join(generationsDir, name)) ?? ''))
}

function isGeneration(profile: Pick<Profile, 'generationsDir'>, name: string): boolean {
  return environmentOf(profile, name) !== undefined
}

/** What was removed since the names were read is neither. */
function isStray(profile: Pick<Profile, 'generationsDir'>, name: string): boolean {
  return !isGeneration(profile, name) && isThere(join(profile.generationsDir, name))
}

function namesIn({ generationsDir }: Pick<Profile, 'generationsDir'>): string[] {
  try {
    return readdirSync(generationsDir)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
