// The lines that put the profile's programs into PATH, and that name a prefix which is
// not the default one, in the words of each shell.

import { basename, dirname, join } from 'node:path'
import { PkgError } from '../../errors.ts'
import { profileLink, resolvePrefix, shellWord, xdgDirectory } from '../../paths.ts'

export type ShellLine = {
  shell: string
  line: string
  /** where the line belongs, so that new shells have it */
  file: string
}

/** Where the user's programs are found: `~/.pkg-profile/bin`. */
export function programsDirectory(env: NodeJS.ProcessEnv): string {
  return join(profileLink(env), 'bin')
}

/** Why the programs can be in no PATH, which is a list with colons; undefined: they can. */
export function pathObstacle(env: NodeJS.ProcessEnv): string | undefined {
  const directory = programsDirectory(env)
  return directory.includes(':') ? `${directory} cannot be in PATH: its path has a colon` : undefined
}

/** Throws BAD_NAME where the programs can be in no PATH. */
export function requirePathWord(env: NodeJS.ProcessEnv): void {
  const obstacle = pathObstacle(env)
  if (obstacle === undefined) return
  throw new PkgError('BAD_NAME', obstacle, {
    hint: 'Set HOME to a path without colons; without that, programs run by their whole path and by `pkg run`.',
  })
}

export function isInPath(env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? '').split(':').includes(programsDirectory(env))
}

const POSIX_LINE = 'export PATH="$HOME/.pkg-profile/bin:$PATH"'
const FISH_LINE = 'fish_add_path --path ~/.pkg-profile/bin'

/** The lines that put the programs into PATH, of all shells. */
export const PATH_LINES: readonly string[] = [POSIX_LINE, FISH_LINE]

/** A line that names a prefix, whichever. */
export const PREFIX_LINE = /^(?:export PKG_PREFIX=|set -gx PKG_PREFIX )/

/** The line for the user's login shell; POSIX's for a shell that we do not know. */
export function shellLine(env: NodeJS.ProcessEnv): ShellLine {
  const home = dirname(profileLink(env))
  const shell = basename(env.SHELL || 'sh')
  if (shell === 'fish') {
    return { shell, line: FISH_LINE, file: fishFile(env) }
  }
  if (shell === 'bash') return { shell, line: POSIX_LINE, file: join(home, '.bashrc') }
  if (shell === 'zsh') return { shell, line: POSIX_LINE, file: join(env.ZDOTDIR || home, '.zshrc') }
  return { shell, line: POSIX_LINE, file: join(home, '.profile') }
}

/** Where lines of ours may be, whatever the login shell is now. */
export function shellFiles(env: NodeJS.ProcessEnv): string[] {
  const home = dirname(profileLink(env))
  const zsh = [...new Set([env.ZDOTDIR || home, home])]
  return [
    ...['.bashrc', '.bash_profile', '.bash_login', '.profile'].map((name) => join(home, name)),
    ...zsh.flatMap((place) => ['.zshrc', '.zprofile', '.zlogin'].map((name) => join(place, name))),
    fishFile(env),
  ]
}

function fishFile(env: NodeJS.ProcessEnv): string {
  return join(xdgDirectory(env, 'XDG_CONFIG_HOME', '.config'), 'fish', 'config.fish')
}

/** The line by which new shells know a prefix; undefined for the one that they come to without it. */
export function prefixLine(env: NodeJS.ProcessEnv, root: string): string | undefined {
  const { PKG_PREFIX: _, ...without } = env
  if (resolvePrefix(without) === root) return undefined
  const { shell } = shellLine(env)
  return shell === 'fish' ? `set -gx PKG_PREFIX ${fishWord(root)}` : `export PKG_PREFIX=${shellWord(root)}`
}

/** A line that starts a daemon, of whichever prefix. */
export const START_LINE = /^\(?\S.* daemon start --quiet --prefix /

/** The line that starts the daemon of a prefix behind a new shell's back. */
export function startLine(env: NodeJS.ProcessEnv, root: string, program: string): string {
  const isFish = shellLine(env).shell === 'fish'
  const [command, prefix] = [program, root].map(isFish ? fishWord : shellWord)
  const start = `${command} daemon start --quiet --prefix ${prefix} </dev/null >/dev/null 2>&1 &`
  return isFish ? `${start} disown` : `(${start})`
}

/** fish(1), Quotes: inside single ones a backslash escapes a quote and itself. */
function fishWord(text: string): string {
  return shellWord(text) === text ? text : `'${text.replace(/['\\]/g, '\\$&')}'`
}
