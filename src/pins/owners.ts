// Whose a place of links is. In a prefix of root's every user has directories of
// their own, and root's collector works in all of them: what it finds there may be
// meant to harm others. The entries in `pins/per-user` and `profiles/per-user` are
// root's to make, so whose they are can be believed; nothing below them can.

import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { PrefixPaths } from '../paths.ts'

type Places = Pick<PrefixPaths, 'pinsPerUser' | 'profilesPerUser'>

/** True when this process may do in the directories of `uid` what that user may not do elsewhere. */
export function isForeign(uid: number | undefined): boolean {
  return process.geteuid?.() === 0 && uid !== undefined && uid !== 0
}

/** The uid of the user whose directory this is, of `pins/per-user` or `profiles/per-user`; undefined when it is gone. */
export function ownerOfUserDirectory(directory: string): number | undefined {
  return statSync(directory, { throwIfNoEntry: false })?.uid
}

/**
 * Whose rights count at this path, below one of the users' directories: its uid.
 * Undefined for what lies elsewhere: there nothing shall be changed on anybody's behalf.
 */
export function ownerOf(places: Places, path: string): number | undefined {
  for (const parent of [places.pinsPerUser, places.profilesPerUser].flatMap(spellings)) {
    if (!path.startsWith(parent + sep)) continue
    const user = path.slice(parent.length + 1).split(sep)[0] as string
    return ownerOfUserDirectory(join(parent, user))
  }
  return ownerOfMoved(places, path)
}

/** Root may have put a user's directory elsewhere, with a link to it. */
function ownerOfMoved({ pinsPerUser, profilesPerUser }: Places, path: string): number | undefined {
  for (const parent of [pinsPerUser, profilesPerUser]) {
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      if (!entry.isSymbolicLink()) continue
      const directory = physical(join(parent, entry.name))
      if (directory !== undefined && `${path}${sep}`.startsWith(directory + sep))
        return ownerOfUserDirectory(directory)
    }
  }
  return undefined
}

function spellings(directory: string): string[] {
  return [...new Set([directory, physical(directory) ?? directory])]
}

function physical(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** True when every one of these links belongs to that user or to root: others' links are not the user's to keep things by. */
export function areOwnLinks(links: readonly string[], uid: number): boolean {
  return links.every((link) => {
    const owner = lstatSync(link, { throwIfNoEntry: false })?.uid
    return owner === undefined || owner === uid || owner === 0
  })
}
