// What killed processes leave behind: temp pins, and files and links that were
// being written. None of it is a root; all of it would pile up.

import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../errors.ts'
import { namesIn } from '../files/directory.ts'
import { firstEntries, withOwned } from '../files/owned-directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { UNFINISHED } from '../pins/names.ts'
import { ownerOf } from '../pins/owners.ts'
import { removeLink } from '../pins/pins.ts'
import { readTempPins } from '../store/add/temp-pin.ts'

/** A directory vanished, or one is closed to us: the next collection looks again. */
const CLOSED = ['EACCES', 'EPERM', 'ELOOP', 'ENOTDIR']

/** An unfinished file or link this old, in ms, is nobody's any more: writing one takes moments. */
const UNFINISHED_MS = 60 * 60 * 1000

/** Entries of one directory that are looked at; the next collection may see others. */
const MAX_ENTRIES = 100_000

/** Removes the temp pins of dead processes, as far as permitted; gives how many. */
export function removeDeadTempPins(paths: PrefixPaths): number {
  return readTempPins(paths).filter((pin) => !pin.alive && removeIfPermitted(pin.file)).length
}

/**
 * Removes what somebody was killed in the middle of writing: blocks, and in these
 * directories pins and generation links; gives how many. The directories are
 * given, not searched for: a search would follow links out of the prefix. In each
 * only what its owner might do is done.
 */
export function removeUnfinished(
  paths: Pick<PrefixPaths, 'blocksTemp' | 'pinsPerUser' | 'profilesPerUser'>,
  directories: readonly string[],
  now = Date.now(),
): number {
  const old = (path: string): boolean => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    return stats !== undefined && !stats.isDirectory() && now - stats.mtimeMs > UNFINISHED_MS
  }
  const remove = (directory: string, names: string[]): number =>
    names.map((name) => join(directory, name)).filter((path) => old(path) && removeIfPermitted(path)).length
  let removed = remove(paths.blocksTemp, namesIn(paths.blocksTemp, CLOSED))
  for (const directory of directories) {
    const owner = ownerOf(paths, directory)
    if (owner === undefined) continue
    const links = (path: string) => remove(path, unfinishedIn(path))
    removed += withOwned(directory, owner, links) ?? 0
  }
  return removed
}

function unfinishedIn(directory: string): string[] {
  const { entries } = firstEntries(directory, MAX_ENTRIES)
  return entries.map(({ name }) => name).filter((name) => name.startsWith(UNFINISHED))
}

function removeIfPermitted(path: string): boolean {
  try {
    return removeLink(path)
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}
