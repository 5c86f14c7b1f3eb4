// Is the user's profile as pkg makes it? Strays among the generations are in
// nobody's way, but somebody may take them for generations.

import { codeOf } from '../errors.ts'
import type { Check } from '../mount/requirements.ts'
import { type PrefixPaths, shellWord } from '../paths.ts'
import {
  currentGeneration,
  openProfile,
  type Profile,
  type ProfileStore,
  strayNames,
} from '../profiles/profile.ts'
import { Blocks } from '../store/blocks.ts'

const NAMED = 3

export type ProfileCheckOptions = { user?: string }

/** Looks at the links of the user's profile in the prefix. */
export function profileCheck(paths: PrefixPaths, { user }: ProfileCheckOptions = {}): Check {
  const profile = openProfile({ paths, blocks: new Blocks(paths) }, { user })
  return currentCheck(profile) ?? strayCheck(profile)
}

/** Undefined when all is well. */
function currentCheck(profile: Profile<ProfileStore>): Check | undefined {
  try {
    currentGeneration(profile)
    return undefined
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const hint =
      'hint' in error && typeof error.hint === 'string' ? error.hint : `It fails with ${codeOf(error)}.`
    return { name: 'profile', ok: false, detail: error.message, hint }
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
