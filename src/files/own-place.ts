// Root at work in a place by its path: every directory on the way has to be root's, for
// whoever owns one puts a link, or another directory, in the place of what is below it,
// at any moment, and root would write there. What git calls dubious ownership.
// Everybody else is held back by the kernel.

import { constants, lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'

/** Links that the kernel follows in one look-up (path_resolution(7)). */
const MAX_LINKS = 40

const STICKY = 0o1000
const WRITE_BY_ALL = 0o002

/**
 * As root: throws PERMISSION, naming the first on the way, links included, that belongs to somebody else, or
 * that everybody may write. What is not there yet is as whoever owns the directory above makes it.
 */
export function requireOwnPlace(path: string): void {
  if (process.geteuid?.() !== 0) return
  let links = 0
  const done = new Set<string>()
  const walk = (place: string): void => {
    const above = dirname(place)
    if (above !== place) walk(above)
    if (done.has(place)) return
    done.add(place)
    const stats = look(place)
    if (stats === undefined) return
    refuseOthers(path, place, stats)
    if (!stats.isSymbolicLink()) return
    links += 1
    if (links > MAX_LINKS) throw new PkgError('PERMISSION', `${path} leads through too many links`)
    walk(resolve(above, readlinkSync(place)))
  }
  walk(resolve(path))
}

function refuseOthers(path: string, place: string, { uid, mode }: Stats): void {
  const isOpen =
    (mode & constants.S_IFMT) === constants.S_IFDIR && (mode & (WRITE_BY_ALL | STICKY)) === WRITE_BY_ALL
  const isRoots = uid === 0 || isOutside(uid)
  if (isRoots && !isOpen) return
  const whose = isRoots ? 'can be written by everybody' : `belongs to uid ${uid}`
  throw new PkgError('PERMISSION', `root does not work in ${path}: ${place} ${whose}`, {
    hint: isRoots ? 'Close it: chmod o-w.' : 'Work as that user, or in a place of root’s own.',
  })
}

/** In a user namespace (user_namespaces(7)) what the machine's own root has, `/` say, is shown as nobody's. */
function isOutside(uid: number): boolean {
  const read = (file: string) => readFileSync(file, 'latin1').trim()
  const isWhole = () => /^0\s+0\s+4294967295$/.test(read('/proc/self/uid_map'))
  return String(uid) === read('/proc/sys/kernel/overflowuid') && !isWhole()
}

function look(place: string): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false })
  } catch (error) {
    // A file in the place of a directory: whoever opens it is told.
    if (isErrno(error, 'ENOTDIR')) return undefined
    throw error
  }
}
