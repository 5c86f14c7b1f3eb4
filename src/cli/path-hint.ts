// The lines that put the profile's programs into PATH, and that name a prefix which is
// not the default one, in the words of each shell.

import { basename, dirname, join } from 'node:path'
import { PkgError } from '../errors.ts'
import { profileLink, resolvePrefix, shellWord, xdgDirectory } from '../paths.ts'

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

/** The line for the user's login shell; POSIX's for a shell that we do not know. */
export function shellLine(env: NodeJS.ProcessEnv): ShellLine {
  const home = dirname(profileLink(env))
  const shell = basename(env.SHELL || 'sh')
  const posix = 'export PATH="$HOME/.pkg-profile/bin:$PATH"'
  if (shell === 'fish') {
    const config = xdgDirectory(env, 'XDG_CONFIG_HOME', '.config')
    return {
      shell,
      line: 'fish_add_path --path ~/.pkg-profile/bin',
      file: join(config, 'fish', 'config.fish'),
    }
  }
  if (shell === 'bash') return { shell, line: posix, file: join(home, '.bashrc') }
  if (shell === 'zsh') return { shell, line: posix, file: join(env.ZDOTDIR || home, '.zshrc') }
  return { shell, line: posix, file: join(home, '.profile') }
}

/** The line by which new shells know a prefix; undefined for the one that they come to without it. */
export function prefixLine(env: NodeJS.ProcessEnv, root: string): string | undefined {
  const { PKG_PREFIX: _, ...without } = env
  if (resolvePrefix(without) === root) return undefined
  const { shell } = shellLine(env)
  return shell === 'fish' ? `set -gx PKG_PREFIX ${fishWord(root)}` : `export PKG_PREFIX=${shellWord(root)}`
}

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
