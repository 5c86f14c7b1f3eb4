// Whether this user may change a profile at all: told before anything is tried, by its place and owner.

import { accessSync, constants, statSync } from 'node:fs'
import { isErrno, PkgError } from '../errors.ts'
import type { Profile, ProfileStore } from './profile.ts'

/** Throws PERMISSION, naming whose the profile is, or READ_ONLY. A profile outside the prefix needs the prefix's pins too. */
export function requireWritable({ dir, external, store }: Profile<ProfileStore>): void {
  for (const place of external ? [dir, store.paths.pinsPerUser] : [dir]) {
    try {
      accessSync(place, constants.W_OK)
    } catch (cause) {
      if (isErrno(cause, 'EROFS')) {
        throw new PkgError('READ_ONLY', `the profile ${dir} cannot be changed: ${place} is read-only`, {
          hint: 'Its file system is mounted read-only: mount it writable, or have a profile elsewhere: --profile <directory>.',
          cause,
        })
      }
      // Pins of a prefix of root's lie in a directory of the user's own below that one.
      if (!isErrno(cause, 'EACCES', 'EPERM') || place !== dir) continue
      const { uid } = statSync(dir)
      throw new PkgError('PERMISSION', `the profile ${dir} belongs to ${uid === 0 ? 'root' : `uid ${uid}`}`, {
        hint: 'Only its owner changes it; one of your own: --profile <directory>.',
        cause,
      })
    }
  }
}
