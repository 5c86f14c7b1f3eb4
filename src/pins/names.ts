// Where pins lie and what they are called: pure functions, no I/O.
// A pin's name is its CID in one spelling (v1, base32), so that pinning the same
// DAG twice is one pin; an auto pin's name is the hash of the path it watches.

import { createHash } from 'node:crypto'
import { join, relative } from 'node:path'
import { checkName, checkVisibleName, type PrefixPaths } from '../paths.ts'
import type { CID } from '../store/cid.ts'

/** The directory below `<prog>` that holds its auto pins. */
export const AUTO = 'auto'

/** What `symlinkAtomic` and `writeFileAtomic` name a link or file before its rename. */
export const UNFINISHED = '.tmp-'

/** `pins/per-user/<user>/<prog>`. Throws BAD_NAME. */
export function progDirectory(paths: Pick<PrefixPaths, 'pinsPerUser'>, user: string, prog: string): string {
  return join(paths.pinsPerUser, checkName(user, 'user name'), checkVisibleName(prog, 'name for a pin'))
}

/** The name of a pin: the CID in version 1 and base32. */
export function pinName(cid: CID): string {
  return cid.toV1().toString()
}

/** What a link at `path` has to say to lead to `store/<cid>`: relative, so that a moved prefix keeps its pins. */
export function pinTarget(paths: Pick<PrefixPaths, 'store'>, directory: string, cid: CID): string {
  return join(relative(directory, paths.store), pinName(cid))
}

/** The name of the auto pin that watches the link at this absolute path: sha2-256 of the path in hexadecimal. */
export function autoPinName(linkPath: string): string {
  return createHash('sha256').update(linkPath).digest('hex')
}

/** Behind the name of an auto pin that a collector is about to drop: it keeps what it kept until then (auto-pin.ts). */
const DROPPING = '.dropping'

/** The name of an auto pin while a collector looks whether to drop it. */
export function droppingName(autoPin: string): string {
  return `${steadyName(autoPin)}${DROPPING}`
}

/** The name of an auto pin, whichever of its two it goes by. */
export function steadyName(autoPin: string): string {
  return autoPin.endsWith(DROPPING) ? autoPin.slice(0, -DROPPING.length) : autoPin
}

/** The name of an auto pin that it does not go by here. */
export function otherName(autoPin: string): string {
  return autoPin === steadyName(autoPin) ? droppingName(autoPin) : steadyName(autoPin)
}

/** The file beside an auto pin that remembers where it led: see auto-record.ts. */
export function recordFile(autoPin: string): string {
  return `${steadyName(autoPin)}.json`
}

/** The number in a generation's path `…/generations/<n>`, with the profile it belongs to. */
export function generationOf(path: string): { profile: string; number: number } | undefined {
  const [, profile, name] = /^(.*)\/generations\/([^/]*)$/s.exec(path) ?? []
  const number = generationNumber(name)
  return profile === undefined || number === undefined ? undefined : { profile, number }
}

/** The number that a generation's name is; undefined for any other name. More digits than a profile ever counts to are none. */
export function generationNumber(name: string | undefined): number | undefined {
  return name !== undefined && /^[1-9]\d{0,8}$/.test(name) ? Number(name) : undefined
}
