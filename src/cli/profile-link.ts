// `~/.pkg-profile`, the link that PATH goes through: made once, and left alone by
// every switch, since it leads to the profile's `current`.

import { join } from 'node:path'
import { PkgError } from '../errors.ts'
import { readLinkOrUndefined, symlinkAtomic } from '../files/atomic.ts'
import { type PrefixPaths, profileLink, userName } from '../paths.ts'

export type ProfileLink = { link: string; target: string; made: boolean }

/**
 * Makes the link unless it is right. One to another prefix is replaced only with
 * `replace`. Throws EXISTS when something else of that name is in the way.
 */
export function ensureProfileLink(
  paths: Pick<PrefixPaths, 'profilesPerUser'>,
  { env, replace = false }: { env: NodeJS.ProcessEnv; replace?: boolean },
): ProfileLink {
  const link = profileLink(env)
  const target = join(paths.profilesPerUser, userName(), 'current')
  const there = readLinkOrUndefined(link)
  if (there === target) return { link, target, made: false }
  if (there !== undefined && !replace) {
    throw new PkgError('EXISTS', `${link} leads to ${there}, the profile of another prefix`, {
      hint: 'Run `pkg init` to have it lead to this one.',
    })
  }
  try {
    symlinkAtomic(target, link)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EISDIR')) throw cause
    throw new PkgError('EXISTS', `${link} is a directory`, { hint: 'Move it out of the way.', cause })
  }
  return { link, target, made: true }
}
