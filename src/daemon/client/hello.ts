// Making oneself known to the daemon of a prefix that one may not write: it makes
// this user's directories there and a socket that only this user can open.

import { lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PkgError } from '../../errors.ts'
import { type PrefixPaths, shellWord, userName, userSocket } from '../../paths.ts'
import { askSocket } from '../http.ts'

/** Milliseconds for an answer: it may have to ask a directory server who we are. */
const ANSWER_MS = 15_000

/**
 * Has the daemon make what is missing. Idempotent. Throws NO_DAEMON when none runs,
 * PERMISSION when the daemon refuses, or what it made is not this user's.
 */
export async function sayHello(paths: PrefixPaths): Promise<void> {
  const answer = await askSocket(paths.daemonSocket, `/v1/hello?uid=${process.getuid?.()}`, {
    method: 'POST',
    timeoutMs: ANSWER_MS,
  })
  if (answer === undefined) throw noDaemon(paths)
  for (const directory of ownDirectories(paths)) requireOwn(directory)
}

/** True when nothing has to be made, as far as one can see: the socket may be that of a dead daemon. */
export function isKnown(paths: PrefixPaths): boolean {
  const uid = process.getuid?.() as number
  const places = [...ownDirectories(paths), userSocket(paths, uid)]
  return places.every((place) => lstatSync(place, { throwIfNoEntry: false })?.uid === uid)
}

/** For what needs a daemon that is not there. */
export function noDaemon({ root }: Pick<PrefixPaths, 'root'>, cause?: unknown): PkgError {
  return new PkgError('NO_DAEMON', `this user adds to ${root} through its daemon, and none runs`, {
    hint: `Have the owner of ${root} run \`pkg daemon start --prefix ${shellWord(root)}\`, or set PKG_PREFIX to a directory of your own.`,
    ...(cause === undefined ? {} : { cause }),
  })
}

function ownDirectories({ pinsPerUser, profilesPerUser }: PrefixPaths): string[] {
  return [pinsPerUser, profilesPerUser].map((parent) => join(parent, userName()))
}

function requireOwn(directory: string): void {
  const stats = statSync(directory, { throwIfNoEntry: false })
  if (stats?.isDirectory() && stats.uid === process.getuid?.()) return
  throw new PkgError('PERMISSION', `${directory} does not belong to this user`, {
    hint: 'Have the owner of the prefix look at it.',
  })
}
