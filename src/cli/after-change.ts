// What follows a change of the profile: the link that PATH goes through, the
// mount, and what the person has to know to run the programs. Only remarks: the
// change itself is done and stays.

import { join, resolve } from 'node:path'
import { hasCode } from '../errors.ts'
import { userName } from '../paths.ts'
import type { Context } from './context.ts'
import { type MountReport, noteUnmounted, tryMount } from './mounting.ts'
import { isInPath, pathObstacle, shellLine } from './shell/path-hint.ts'
import { moveProfileLink, pointHere, readProfileLink } from './shell/profile-link.ts'
import { hasLine } from './shell/shell-file.ts'

export type AfterChange = { mount: MountReport; bin: string; inPath: boolean }

type Moved = { changed: boolean; previous: number | undefined }

/** Mounts the store on demand, makes the link where there is none, and says what is in the way of running programs. */
export async function afterChange(context: Context, { changed, previous }: Moved): Promise<AfterChange> {
  const { env, note, profilePath } = context
  const mount = await tryMount(context)
  noteUnmounted(context, mount)
  if (profilePath !== undefined) {
    const bin = programsOf(context)
    const inPath = (env.PATH ?? '').split(':').includes(bin)
    if (!inPath) note(`The programs of this profile are in ${bin}`)
    return { mount, bin, inPath }
  }
  const link = makeLink(context)
  if (link === undefined) return { mount, bin: programsOf(context), inPath: false }
  const bin = join(link.path, 'bin')
  const inPath = isInPath(env)
  const shell = shellLine(env)
  // Once: whoever has read it before does not need it after every change.
  const isFirst = link.made || (changed && previous === undefined)
  const obstacle = pathObstacle(env)
  if (isFirst && obstacle !== undefined) note(obstacle)
  else if (isFirst && !inPath && !hasLine(shell.file, shell.line)) {
    note(
      `hint: ${bin} is not in PATH: ${shell.line}\n      \`pkg init --modify-shell\` sees to it for new shells.`,
    )
  }
  return { mount, bin, inPath }
}

/** For changes that need neither mount nor link: says when the link leads elsewhere. */
export function noteOtherLink(context: Context): void {
  if (context.profilePath === undefined) findLink(context)
}

/** The `bin` of the profile itself. */
function programsOf({ paths, profilePath }: Context): string {
  return resolve(profilePath ?? join(paths.profilesPerUser, userName()), 'current', 'bin')
}

/** The link, if it leads here or nowhere yet; otherwise a remark, and undefined. */
function findLink(context: Context): ReturnType<typeof readProfileLink> | undefined {
  const { note } = context
  try {
    const found = readProfileLink(context)
    if (found.leads === undefined || found.leads === found.target) return found
    note(
      `${found.link} leads to ${found.leads}, not to this profile, whose programs are in ${programsOf(context)}`,
    )
    note(`hint: ${pointHere(context)}`)
  } catch (error) {
    if (!hasCode(error, 'EXISTS')) throw error
    note(`${error.message}: the programs are in ${programsOf(context)}`)
    note(`hint: ${error.hint}`)
  }
  return undefined
}

function makeLink(context: Context): { path: string; made: boolean } | undefined {
  const found = findLink(context)
  if (found === undefined) return undefined
  try {
    moveProfileLink(found)
    return { path: found.link, made: found.leads === undefined }
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'PERMISSION', 'READ_ONLY')) throw error
    context.note(`${error.message}: the programs are in ${programsOf(context)}`)
    return undefined
  }
}
