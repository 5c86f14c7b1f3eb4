// Accounts of this machine: which name and group a uid has, as the system says it
// (passwd(5), NSS). What a name becomes part of a path with is checked here.
//
// Local accounts are read from the file, without a process; all others through
// getent(1), one at a time and bounded, for anybody may ask and a directory server
// may be slow.

import { isErrno, PkgError } from '../errors.ts'
import { checkVisibleName } from '../paths.ts'
import { readSmallFile } from './small-file.ts'
import { readSystemCommand } from './system-command.ts'

export type Account = Readonly<{ uid: number; gid: number; name: string }>

/** The largest uid; the one above it means "none" (chown(2)). */
const MAX_UID = 0xffff_fffe

/** A local file of some 100,000 accounts. */
const MAX_BYTES = 16 * 1024 * 1024

/** Milliseconds for the system's answer about one account. */
const ANSWER_MS = 5000

/** Look-ups that may wait for one another. */
const MAX_WAITING = 16

let waiting = 0
let last: Promise<unknown> = Promise.resolve()

/**
 * The account with this uid; undefined when the machine has none. Throws USAGE for
 * what is no uid, BAD_NAME for a name that cannot be a directory's, BUSY.
 */
export async function findAccount(uid: number): Promise<Account | undefined> {
  if (!Number.isSafeInteger(uid) || uid < 0 || uid > MAX_UID) throw new PkgError('USAGE', `${uid} is no uid`)
  return parsePasswd(localAccounts(), uid) ?? (await askSystem(uid))
}

/** The first line of passwd(5) for this uid. */
export function parsePasswd(text: string, uid: number): Account | undefined {
  for (const line of text.split('\n')) {
    const [name, , id, gid, , , shell] = line.split(':')
    if (shell === undefined || id !== String(uid) || !/^\d{1,10}$/.test(gid ?? '')) continue
    return { uid, gid: Number(gid), name: checkVisibleName(name ?? '', 'user name') }
  }
  return undefined
}

function localAccounts(): string {
  try {
    return readSmallFile('/etc/passwd', {
      maxBytes: MAX_BYTES,
      what: 'a list of accounts',
      followLinks: true,
    }).toString()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}

async function askSystem(uid: number): Promise<Account | undefined> {
  if (waiting >= MAX_WAITING) {
    throw new PkgError('BUSY', 'too many accounts are being looked up', { hint: 'Try again.' })
  }
  waiting += 1
  const before = last
  const answer = before.then(() => getent(uid))
  last = answer.catch(() => {})
  try {
    return await answer
  } finally {
    waiting -= 1
  }
}

async function getent(uid: number): Promise<Account | undefined> {
  try {
    return parsePasswd(
      await readSystemCommand('getent', ['passwd', String(uid)], { timeout: ANSWER_MS }),
      uid,
    )
  } catch (error) {
    // getent(1): status 2 is "not found"; a system without it has local accounts only.
    if (error instanceof Error && 'code' in error && (error.code === 2 || error.code === 'ENOENT'))
      return undefined
    throw error
  }
}
