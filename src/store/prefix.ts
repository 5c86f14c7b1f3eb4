// The directories of a prefix: made, and looked at before something is read or
// added. Nobody makes a part of a prefix that has lost the rest: an empty
// `pins/` beside full `blocks/` would have the next collection delete them all.

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { fsyncDirectory } from '../files/atomic.ts'
import { makePrefixDirectory } from '../files/directory.ts'
import { ensurePrefixEntry, makePrefixEntry } from '../files/modes.ts'
import { type PrefixPaths, userName } from '../paths.ts'
import { writeFirstMark } from './add/stable-mark.ts'
import { makeShards } from './blocks/shards.ts'
import { keepSpare } from './spare.ts'

/** What a user needs who may not write a prefix. */
const OWN_PREFIX = 'Set PKG_PREFIX to a directory of your own, or work as the owner of this one.'

/**
 * Makes what is missing of a prefix. Idempotent, and safe beside others doing
 * the same. Changes nothing where this user could not add and install afterwards.
 * Throws PERMISSION, READ_ONLY, NO_SPACE, NOT_DIRECTORY, and BAD_NAME for a path with control
 * characters, which no line of a shell's file, a log or a systemd unit can hold.
 */
export function makePrefix(paths: PrefixPaths): void {
  requirePrintable(paths)
  requireWritable(paths, [...addPlaces(paths), ...linkPlaces(paths)])
  const { tempPins, pinsPerUser, profilesPerUser, quarantine } = paths
  try {
    for (const directory of [tempPins, pinsPerUser, profilesPerUser, quarantine])
      makePrefixDirectory(directory)
    // Never looked at: a mount that is there would be asked, and one whose server is dead would fail.
    ensurePrefixEntry(paths.store)
    const isNew = !existsSync(paths.blocks)
    makePrefixDirectory(paths.blocks)
    makeShards(paths.blocks)
    if (isNew) writeFirstMark(paths)
    fsyncDirectory(paths.blocks)
    keepSpare(paths)
    // Made last: where it exists, all the others did.
    makePrefixDirectory(paths.blocksTemp)
  } catch (cause) {
    if (isErrno(cause, 'EACCES', 'EPERM', 'EROFS')) throw unwritable(paths.root, cause)
    throw cause
  }
}

/** Makes a prefix where none is. Throws as `makePrefix`, and NOT_FOUND for one that lost a part. */
export function ensurePrefix(paths: PrefixPaths): void {
  if (!existsSync(paths.blocksTemp)) makePrefix(paths)
  requireAddable(paths)
}

/** Returns when this user can add to a prefix that is there. Throws NOT_FOUND, PERMISSION, READ_ONLY. */
export function requireAddable(paths: PrefixPaths): void {
  requirePrefix(paths)
  requireWritable(paths, addPlaces(paths))
}

/**
 * Returns when all directories are there; `var` and `pins/temp` are made again when
 * the others are. Throws NOT_FOUND naming what is not, PERMISSION.
 */
export function requirePrefix(paths: PrefixPaths): void {
  const { root, blocks, blocksTemp, pins, tempPins, pinsPerUser, profilesPerUser } = paths
  const missing = [blocks, pins, paths.var, profilesPerUser, pinsPerUser, tempPins, blocksTemp].filter(
    isMissing,
  )
  if (missing.every((path) => (path === paths.var || path === tempPins) && isMadeAgain(path))) return
  if (missing.includes(blocks) && missing.includes(pins)) {
    throw new PkgError('NOT_FOUND', `there is no prefix at ${root}`, {
      hint: '`pkg init` makes one; --prefix and PKG_PREFIX name another.',
    })
  }
  throw new PkgError('NOT_FOUND', `${root} is not a whole prefix: ${missing[0]} is missing`, {
    hint: 'Mount or restore it where it lies elsewhere; else `pkg init` makes what is missing.',
  })
}

/** For what holds nothing that lasts. False where something is in the way, such as a link to nothing, or not permitted. */
function isMadeAgain(path: string): boolean {
  try {
    makePrefixEntry(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'errno' in error) return !isMissing(path)
    throw error
  }
}

/** Where every add writes. */
function addPlaces({ blocks, blocksTemp, pins, tempPins }: PrefixPaths): string[] {
  return [blocks, blocksTemp, pins, tempPins]
}

/** Where the links of this user go: the user's own directories, or else those in which they are made. */
function linkPlaces({ pinsPerUser, profilesPerUser }: PrefixPaths): string[] {
  const own = (directory: string) => {
    const path = join(directory, userName())
    return existsSync(path) ? path : directory
  }
  return [own(pinsPerUser), own(profilesPerUser)]
}

function requirePrintable({ root }: Pick<PrefixPaths, 'root'>): void {
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(root)) return
  throw new PkgError(
    'BAD_NAME',
    `${JSON.stringify(root)} cannot be a prefix: its path has control characters`,
    {
      hint: 'Set PKG_PREFIX (or --prefix) to a path without line breaks, tabs and the like.',
    },
  )
}

/** What is not there yet is passed over. Throws PERMISSION or READ_ONLY naming the first that this user may not write. */
function requireWritable({ root }: Pick<PrefixPaths, 'root'>, places: readonly string[]): void {
  for (const place of places) {
    try {
      accessSync(place, constants.W_OK)
    } catch (cause) {
      if (isErrno(cause, 'ENOENT', 'ENOTDIR')) continue
      if (isErrno(cause, 'EACCES', 'EPERM', 'EROFS')) throw unwritable(root, cause)
      throw cause
    }
  }
}

function unwritable(root: string, cause: unknown): PkgError {
  const code = isErrno(cause, 'EROFS') ? 'READ_ONLY' : 'PERMISSION'
  const why = code === 'READ_ONLY' ? 'its file system is read-only' : 'this user may not write it'
  return new PkgError(code, `nothing can be added to ${root}: ${why}`, { hint: OWN_PREFIX, cause })
}

function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined
  } catch (cause) {
    if (!isErrno(cause, 'EACCES')) throw cause
    throw new PkgError('PERMISSION', `${path} is closed to this user`, { hint: OWN_PREFIX, cause })
  }
}
