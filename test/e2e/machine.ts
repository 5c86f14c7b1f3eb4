// The installed product on a machine of its own: the launcher, a prefix that is mounted,
// or has checkouts where nothing can be, and a home.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LAUNCHER, type Outcome, outcome, type Sandbox, sandbox } from '../cli/harness.ts'

export { NO_MOUNT } from '../mount/mounted.ts'

export type Machine = Omit<Sandbox, 'run' | 'json' | 'brief'> & {
  /** Runs `pkg` as a user would; throws when it fails. */
  pkg(...words: string[]): Promise<string>
  /** The same, however it ends. */
  try(words: string[], env?: NodeJS.ProcessEnv): Promise<Outcome>
  /** Packs a directory and gives its CID. */
  pack(directory: string, as: string, ...more: string[]): Promise<string>
  /** Runs an installed program, through the profile. */
  run(program: string, ...args: string[]): string
  store(...rest: string[]): string
}

/** A machine after `pkg init`, in a prefix with these settings, for a whole file (`{ after }`) or a test. Its daemon, mount and directory are gone afterwards. */
export async function machine(
  t: { after(fn: () => unknown): void },
  settings: Record<string, string | number> = {},
): Promise<Machine> {
  const box = await sandbox(t)
  mkdirSync(box.prefix)
  writeFileSync(join(box.prefix, 'config.json'), JSON.stringify(settings))
  const bin = join(box.home, '.pkg-profile', 'bin')
  // As the shell of a user has it after `pkg init`.
  const env = { ...box.env, PATH: `${bin}:${box.env.PATH}` }
  const attempt = (words: string[], more: NodeJS.ProcessEnv = {}) =>
    outcome([LAUNCHER, ...words], { cwd: box.directory, env: { ...env, ...more } })
  const pkg = async (...words: string[]) => {
    const { status, signal, stdout, stderr } = await attempt(words)
    if (status === 0) return stdout
    throw new Error(`pkg ${words.join(' ')} ended with ${status ?? signal}: ${stderr}${stdout}`)
  }
  await pkg('init')
  const { directory, prefix, home } = box
  return {
    directory,
    prefix,
    home,
    env,
    pkg,
    try: attempt,
    pack: async (directory, as, ...more) =>
      (await pkg('pack', directory, '--as', as, ...more, '--quiet')).trim(),
    run: (program, ...args) =>
      execFileSync(join(bin, program), args, { cwd: box.directory, env, encoding: 'utf8' }),
    store: (...rest) => join(box.prefix, 'store', ...rest),
  }
}
