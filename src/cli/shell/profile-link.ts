// `~/.pkg-profile`, the link that PATH goes through: made once, and left alone by
// every switch, since it leads to the profile's `current`. What is no link is
// never replaced, and a profile that is in use is not left unasked.

import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { codeOf, isErrno, PkgError } from '../../errors.ts'
import { lookAtLink, symlinkAtomic } from '../../files/atomic.ts'
import { type PrefixPaths, profileLink, resolvePrefix, shellWord, userName } from '../../paths.ts'

type Where = { paths: Pick<PrefixPaths, 'root' | 'profilesPerUser'>; env: NodeJS.ProcessEnv }

export type ProfileLink = {
  link: string
  /** where it has to lead */
  target: string
  /** where it leads; undefined while there is none */
  leads: string | undefined
}

/** Looks at the link. Throws EXISTS when something that is no link has its name. */
export function readProfileLink({ paths, env }: Where): ProfileLink {
  const link = profileLink(env)
  const leads = lookAtLink(link)
  if (leads === null) {
    throw new PkgError('EXISTS', `${link} is no link`, { hint: 'Move it out of the way.' })
  }
  return { link, target: join(paths.profilesPerUser, userName(), 'current'), leads }
}

/** What to do about a link that leads to another profile. */
export function pointHere({ paths, env }: Where): string {
  const prefix = resolvePrefix(env) === paths.root ? '' : ` --prefix ${shellWord(paths.root)}`
  return `\`pkg init${prefix}\` has it lead here.`
}

/** Throws EXISTS when the link would leave a profile that has generations. */
export function requireLeaving({ link, target, leads }: ProfileLink): void {
  if (leads === undefined || leads === target || !hasGenerations(dirname(resolve(dirname(link), leads))))
    return
  throw new PkgError('EXISTS', `${link} leads to ${leads}, a profile that has generations`, {
    hint: `Nothing was changed. To move the link, so that those programs leave PATH: pkg init --force. To leave it, name a profile elsewhere: pkg install --profile <directory> …`,
  })
}

/** Has the link lead where it should, whatever it led to. Throws NOT_FOUND without a home, PERMISSION, READ_ONLY. */
export function moveProfileLink({ link, target, leads }: ProfileLink): void {
  if (leads === target) return
  try {
    symlinkAtomic(target, link)
  } catch (cause) {
    const home = dirname(link)
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) {
      throw new PkgError('NOT_FOUND', `the home directory ${home} is not there`, {
        hint: 'Set HOME to a directory that is.',
        cause,
      })
    }
    if (!isErrno(cause, 'EACCES', 'EPERM', 'EROFS')) throw cause
    throw new PkgError(codeOf(cause), `${link} cannot be made: ${home} cannot be written`, { cause })
  }
}

function hasGenerations(profile: string): boolean {
  try {
    return readdirSync(join(profile, 'generations')).some((name) => /^[1-9]\d*$/.test(name))
  } catch (error) {
    // What cannot be read may be in use.
    return !isErrno(error, 'ENOENT', 'ENOTDIR')
  }
}
