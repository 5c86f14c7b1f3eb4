// A profile in a directory that `--profile` names: a new one is made only where
// nothing else lies, for a slip of the pen must not fill a project with links.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { shellWord } from '../paths.ts'

/** Throws EXISTS for a directory that holds something and no profile, and for what is no directory. */
export function requireProfileOrEmpty(path: string): void {
  if (existsSync(join(path, 'generations'))) return
  let names: string[]
  try {
    names = readdirSync(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    if (!isErrno(error, 'ENOTDIR')) throw error
    throw new PkgError('EXISTS', `${path} is no directory`, {
      hint: 'Name one, or a new name.',
      cause: error,
    })
  }
  if (names.length === 0) return
  throw new PkgError('EXISTS', `${path} is not empty, and no profile`, {
    hint: `Name a directory of its own: --profile ${shellWord(join(path, '.profile'))}`,
  })
}
