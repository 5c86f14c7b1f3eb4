// Is the user's profile as pkg makes it? Strays among the generations are in
// nobody's way, but somebody may take them for generations.

import { codeOf, EXIT, exitStatusOf, PkgError } from '../../errors.ts'
import type { StoreMode } from '../../mount/mode.ts'
import type { Check } from '../../mount/requirements.ts'
import { type PrefixPaths, shellWord } from '../../paths.ts'
import { requireRoots } from '../../profiles/damaged.ts'
import {
  findCurrentGeneration,
  openProfile,
  type Profile,
  type ProfileStore,
  readCurrent,
  strayNames,
} from '../../profiles/profile.ts'
import { currentPackages } from '../../profiles/read-installed.ts'
import { Blocks } from '../../store/blocks/blocks.ts'
import { missingCheckouts } from '../../store/checkout/check-out.ts'
import { linkedStore } from '../../store/checkout/links.ts'
import { isCheckedOut } from '../../store/checkout/names.ts'
import type { CID } from '../../store/cid.ts'
import { physicalStore } from '../../store/shown-target.ts'

const NAMED = 3

/** `guest`: what was found of root's prefix, where this user is another; `ok` while root's daemon runs. */
export type ProfileCheckOptions = { user?: string; mode?: StoreMode; guest?: Check | undefined }

/** Looks at the links of the user's profile in the prefix. */
export function profileCheck(paths: PrefixPaths, { user, mode, guest }: ProfileCheckOptions = {}): Check {
  const profile = openProfile({ paths, blocks: new Blocks(paths) }, { user })
  const trees = mode === 'checkout' ? () => treesCheck(profile, guest) : () => undefined
  return currentCheck(profile) ?? trees() ?? strayCheck(profile)
}

/** In checkout mode: does what is installed have its trees? An lstat each; undefined when all is well. */
function treesCheck(profile: Profile<ProfileStore>, guest: Check | undefined): Check | undefined {
  const current = findCurrentGeneration(profile)
  if (current === undefined) return undefined
  const missing = missingOf(profile.store, current.cid)
  const why =
    missing === 0
      ? whyElsewhere(profile.store.paths)
      : `${missing} of its trees in ${profile.store.paths.store} are missing`
  if (why === undefined) return undefined
  const switching = `\`pkg switch ${current.number}\`, which has it make them`
  const hint =
    guest === undefined
      ? 'Run `pkg daemon start`, which makes them.'
      : guest.ok === true
        ? `Root's daemon makes them: run \`pkg switch ${current.number}\`.`
        : `Have root run \`pkg daemon start\`; then run ${switching}.`
  return {
    name: 'profile',
    ok: false,
    exit: EXIT.damaged,
    detail: `generation ${current.number} cannot run: ${why}`,
    hint,
  }
}

/** Of a prefix that was moved: see store/checkout/links.ts. */
function whyElsewhere(paths: PrefixPaths): string | undefined {
  const led = linkedStore(paths)
  return led === undefined || led === physicalStore(paths) ? undefined : `its trees lead to ${led}`
}

/** Blocks that cannot be read are the damage check's to tell: then the environment's own tree is what is looked for. */
function missingOf(store: ProfileStore, cid: CID): number {
  try {
    return missingCheckouts(store, cid).length
  } catch (error) {
    if (!(error instanceof PkgError)) throw error
    return isCheckedOut(store.paths, cid) ? 0 : 1
  }
}

/** Undefined when all is well. */
function currentCheck(profile: Profile<ProfileStore>): Check | undefined {
  try {
    readCurrent(profile, () => requireRoots(profile.store.blocks, currentPackages(profile)?.installed ?? []))
    return undefined
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const hint =
      'hint' in error && typeof error.hint === 'string' ? error.hint : `It fails with ${codeOf(error)}.`
    return { name: 'profile', ok: false, exit: exitStatusOf(error), detail: error.message, hint }
  }
}

function strayCheck(profile: Profile<ProfileStore>): Check {
  const strays = strayNames(profile)
  if (strays.length === 0) return { name: 'profile', ok: true, detail: profile.dir }
  const more = strays.length > NAMED ? ' …' : ''
  return {
    name: 'profile',
    ok: 'note',
    detail: `what is no generation lies in ${profile.generationsDir}: ${strays.slice(0, NAMED).join(', ')}${more}`,
    hint: `Nothing uses it; move it out of ${shellWord(profile.generationsDir)}.`,
  }
}
