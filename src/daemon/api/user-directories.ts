// A user's own directories in a prefix of root's: `pins/per-user/<user>` and
// `profiles/per-user/<user>`. Only root can make an entry beside them, so nobody
// can be first to make somebody else's (cf. CVE-2019-18192).
//
// They appear by one rename(2), with their owner: no other process ever sees one
// that is not its user's yet.

import { randomBytes } from 'node:crypto'
import { chmodSync, lchownSync, lstatSync, mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PkgError } from '../../errors.ts'
import type { Account } from '../../files/accounts.ts'
import { fsyncDirectory } from '../../files/atomic.ts'
import { DIRECTORY_MODE } from '../../files/modes.ts'
import { type PrefixPaths, shellWord } from '../../paths.ts'
import { isOnAny, mountsToAvoid, readMounts } from '../../pins/mount-table.ts'
import { UNFINISHED } from '../../pins/names.ts'

/**
 * Makes what is missing of them. Idempotent. Throws PERMISSION where there is
 * something that is not this user's directory: it is left as it is.
 */
export function makeUserDirectories(
  { pinsPerUser, profilesPerUser }: Pick<PrefixPaths, 'pinsPerUser' | 'profilesPerUser'>,
  account: Account,
): void {
  const avoid = mountsToAvoid(readMounts())
  for (const parent of [pinsPerUser, profilesPerUser]) {
    const directory = join(parent, account.name)
    // Its owner may mount there what never answers: everybody's daemon does not wait for it.
    if (isOnAny(avoid, directory))
      throw new PkgError('PERMISSION', `${directory} is a file system of a user’s own`)
    if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) make(parent, directory, account)
    requireOwn(directory, account)
  }
}

function make(parent: string, directory: string, { uid, gid }: Account): void {
  const temp = join(parent, `${UNFINISHED}${randomBytes(6).toString('hex')}`)
  mkdirSync(temp, 0o700)
  try {
    lchownSync(temp, uid, gid)
    chmodSync(temp, DIRECTORY_MODE)
    renameSync(temp, directory)
  } catch (error) {
    rmdirSync(temp)
    throw error
  }
  fsyncDirectory(parent)
}

/** A link there is root's, who alone writes the parent: it may lead to a disk of the users'. */
function requireOwn(directory: string, { uid, name }: Account): void {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found?.isDirectory() && found.uid === uid) return
  const is = found?.isDirectory() ? `belongs to uid ${found.uid}` : 'is no directory'
  throw new PkgError('PERMISSION', `${directory} ${is}, and not to ${name} (uid ${uid})`, {
    hint: `Have the owner of the prefix look at it: \`ls -la ${shellWord(directory)}\`, then move it away or chown it.`,
  })
}
