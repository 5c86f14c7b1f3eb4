// The part of the disk, in bytes and in files, that what users add leaves to everybody.

import { statfsSync } from 'node:fs'
import type { Config } from '../../config.ts'
import { PkgError } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'

type Paths = Pick<PrefixPaths, 'root' | 'blocks'>

/** Bytes and files that may still be used; `files` is undefined where the file system has no fixed number of them. */
export function roomToUse(
  { blocks }: Pick<Paths, 'blocks'>,
  config: Config,
): { bytes: number; files: number | undefined } {
  const disk = statfsSync(blocks)
  const part = config['uploads.reservePercent'] / 100
  const reserve = Math.max(config['uploads.reserveBytes'], disk.blocks * disk.bsize * part)
  return {
    bytes: disk.bavail * disk.bsize - reserve,
    // Some file systems have no fixed number of files, and say 0.
    files: disk.files === 0 ? undefined : disk.ffree - disk.files * part,
  }
}

/** Throws NO_SPACE where the reserve is touched already. */
export function requireRoom(paths: Paths, config: Config): void {
  const { bytes, files } = roomToUse(paths, config)
  if (files !== undefined && files < 0) {
    const { ffree } = statfsSync(paths.blocks)
    throw new PkgError(
      'NO_SPACE',
      `only ${ffree} more files can be made for ${paths.root}: too few to take imports`,
      {
        hint: 'Remove some files; `pkg gc` may help.',
      },
    )
  }
  if (bytes >= 0) return
  const { bavail, bsize } = statfsSync(paths.blocks)
  const mib = Math.floor((bavail * bsize) / 1024 ** 2)
  throw new PkgError('NO_SPACE', `only ${mib} MiB are free for ${paths.root}: too little to take imports`, {
    hint: 'Free some space; `pkg gc` may help.',
  })
}
