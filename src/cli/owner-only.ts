// What only who may write a prefix can do there: told before the work, and who that is.

import { accessSync, constants, statSync } from 'node:fs'
import { isErrno, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'

/** Throws PERMISSION or READ_ONLY, naming the owner of the prefix, unless this user may write its blocks and `var`. `what`: "healed". */
export async function requireWriter(
  { root, blocks, var: variable }: PrefixPaths,
  what: string,
): Promise<void> {
  try {
    for (const place of [blocks, variable]) accessSync(place, constants.W_OK)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return
    if (isErrno(cause, 'EROFS')) {
      throw new PkgError('READ_ONLY', `${root} cannot be ${what}: its file system is read-only`, { cause })
    }
    if (!isErrno(cause, 'EACCES', 'EPERM')) throw cause
    const owner = await ownerOf(root)
    throw new PkgError('PERMISSION', `${root} can be ${what} by its owner (${owner}) only`, {
      hint: `Ask ${owner}, or do it in a prefix of your own.`,
      cause,
    })
  }
}

async function ownerOf(path: string): Promise<string> {
  const { uid } = statSync(path)
  const { findAccount } = await import('../files/accounts.ts')
  const account = await findAccount(uid).catch(() => undefined)
  return account?.name ?? `uid ${uid}`
}
