// What follows a change of the profile: the link that PATH goes through, the
// mount, and what the person has to know to run the programs. Only remarks: the
// change itself is done and stays.

import { join } from 'node:path'
import { hasCode } from '../errors.ts'
import type { Context } from './context.ts'
import { type MountReport, noteUnmounted, tryMount } from './mounting.ts'
import { isInPath, shellLine } from './path-hint.ts'
import { ensureProfileLink } from './profile-link.ts'

export type AfterChange = { mount: MountReport; bin: string; inPath: boolean }

/** Mounts the store on demand and says what is in the way of running programs. */
export async function afterChange(context: Context): Promise<AfterChange> {
  const { paths, env, note, profilePath } = context
  const mount = await tryMount(context)
  if (profilePath !== undefined) {
    noteUnmounted(context, mount)
    const bin = join(profilePath, 'current', 'bin')
    return { mount, bin, inPath: (env.PATH ?? '').split(':').includes(bin) }
  }
  const bin = join(linkProfile(), 'bin')
  noteUnmounted(context, mount)
  const inPath = isInPath(env)
  if (!inPath)
    note(
      `hint: ${bin} is not in PATH: ${shellLine(env).line}\n      \`pkg init --modify-shell\` sees to it for new shells.`,
    )
  return { mount, bin, inPath }

  function linkProfile(): string {
    try {
      return ensureProfileLink(paths, { env }).link
    } catch (error) {
      if (!hasCode(error, 'EXISTS')) throw error
      note(`${error.message}\nhint: ${error.hint}`)
      return join(paths.profilesPerUser, 'current')
    }
  }
}
