// The registries that a user looks packages up in: one file a registry in
//   profiles/per-user/<user>/registries/<name>.json
// It remembers the root that was fetched last; that root is pinned, so look-ups are
// repeatable and need no network until `update` takes a newer one.

import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { writeFileAtomic } from '../files/atomic.ts'
import { makePrefixDirectory, namesIn } from '../files/directory.ts'
import { readSmallFile } from '../files/small-file.ts'
import { canonicalBytes } from '../packages/canonical-json.ts'
import { checkName, checkVisibleName, type PrefixPaths, shellWord, userName } from '../paths.ts'
import { type CID, parseCid, tryParseCid } from '../store/cid.ts'

const FORMAT = 1
const SUFFIX = '.json'

/** A subscription holds a path of at most 4 KiB, a CID and two dates. */
const MAX_BYTES = 64 * 1024

export type Subscription = {
  /** what the user calls it */
  name: string
  /** a registry directory's absolute path, or a root CID */
  source: string
  root: CID
  /** when the user subscribed; registries are asked in this order */
  added: Date
  /** when `root` was taken */
  updated: Date
}

type Stored = { format: number; name: string; source: string; root: string; added: string; updated: string }

/** Where a user's subscriptions lie. Throws BAD_NAME. */
export function subscriptionsDirectory(
  paths: Pick<PrefixPaths, 'profilesPerUser'>,
  user = userName(),
): string {
  return join(paths.profilesPerUser, checkName(user, 'user name'), 'registries')
}

/** What a subscription's pin is filed under. */
export function subscriptionPin(name: string): string {
  return `registry-${name}`
}

/** All of a user's subscriptions, the oldest first: the order in which they are asked. */
export function readSubscriptions(
  paths: Pick<PrefixPaths, 'profilesPerUser'>,
  user?: string,
): Subscription[] {
  const names = subscriptionNames(paths, user)
  const all = names.map((name) => readSubscription(paths, name, user)).filter((one) => one !== undefined)
  return all.sort((a, b) => Number(a.added) - Number(b.added) || (a.name < b.name ? -1 : 1))
}

/** The names of all of a user's subscriptions, sorted; none of them is opened. */
export function subscriptionNames(paths: Pick<PrefixPaths, 'profilesPerUser'>, user?: string): string[] {
  return namesIn(subscriptionsDirectory(paths, user))
    .filter((file) => file.endsWith(SUFFIX) && !file.startsWith('.'))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort()
}

/** One subscription; undefined when there is none of that name. Throws BAD_REGISTRY for a file that is damaged. */
export function readSubscription(
  paths: Pick<PrefixPaths, 'profilesPerUser'>,
  name: string,
  user?: string,
): Subscription | undefined {
  const file = fileOf(paths, name, user)
  const word = shellWord(name)
  const hint = `Subscribe anew: pkg registry remove ${word}, then pkg registry add ${word} <source>`
  let text: string
  try {
    const options = { maxBytes: MAX_BYTES, what: 'a subscription', code: 'BAD_REGISTRY', hint } as const
    text = readSmallFile(file, options).toString()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    const { format, source, root, added, updated } = JSON.parse(text) as Stored
    if (format !== FORMAT) throw new Error(`format ${format} is not known`)
    return { name, source, root: parseCid(root), added: new Date(added), updated: new Date(updated) }
  } catch (cause) {
    throw new PkgError('BAD_REGISTRY', `${file} cannot be read`, { hint, cause })
  }
}

/** Writes a subscription whole, or not at all. The root must be pinned before. */
export function writeSubscription(
  paths: Pick<PrefixPaths, 'profilesPerUser'>,
  { name, source, root, added, updated }: Subscription,
  user?: string,
): void {
  const stored: Stored = {
    format: FORMAT,
    name,
    source,
    root: root.toString(),
    added: added.toISOString(),
    updated: updated.toISOString(),
  }
  makePrefixDirectory(subscriptionsDirectory(paths, user))
  writeFileAtomic(fileOf(paths, name, user), canonicalBytes(stored))
}

/** Says whether there was one, damaged or not. */
export function deleteSubscription(
  paths: Pick<PrefixPaths, 'profilesPerUser'>,
  name: string,
  user?: string,
): boolean {
  try {
    unlinkSync(fileOf(paths, name, user))
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** True when the registry never changes: its source is a CID. */
export function isFixed(source: string): boolean {
  return tryParseCid(source) !== undefined
}

function fileOf(paths: Pick<PrefixPaths, 'profilesPerUser'>, name: string, user?: string): string {
  const file = `${checkVisibleName(name, 'name for a registry')}${SUFFIX}`
  return join(subscriptionsDirectory(paths, user), checkName(file, 'name for a registry'))
}
