// Auto pins: `pins/per-user/<user>/<prog>/auto/<hash(path)>` points to a symlink
// that its owner keeps anywhere; as long as that one leads into the store, what
// it leads to stays.
//
// The collector drops an auto pin whose link was deleted, while its owner may be
// making the link and the pin again. No lock can settle that: owners cannot take
// one of root's, and root shall not wait for one of theirs. Instead
//   - whoever makes an auto pin makes a new symlink, by rename(2), each time;
//   - the collector first renames the auto pin to a second name, under which it
//     keeps what it kept, then looks at the link again, and deletes the second name
//     or gives the first one back.
// A pin that was made before that rename was made for a link that the look then
// finds; one that is made after it has the first name, which nobody deletes.

import { randomBytes } from 'node:crypto'
import { linkSync, lstatSync, readlinkSync, realpathSync, renameSync, unlinkSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { fsyncDirectory } from '../files/atomic.ts'
import { makePrefixDirectory } from '../files/directory.ts'
import { withOwnedAsync } from '../files/owned-directory.ts'
import { userName } from '../paths.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { isTrulyGone, makeRecord, readRecord, writeRecord } from './auto-record.ts'
import { requireRoomForLinks } from './link-limit.ts'
import { mountsToAvoid, readMounts } from './mount-table.ts'
import {
  AUTO,
  autoPinName,
  droppingName,
  progDirectory,
  recordFile,
  steadyName,
  UNFINISHED,
} from './names.ts'
import { ownerOf } from './owners.ts'
import { flushRemoval, placeLink, removeLink } from './pins.ts'
import { resolveLink, storeSpellings } from './resolve-link.ts'
import type { GoneAutoPin } from './root.ts'
import { type AtPoint, pass } from './stop-point.ts'

export type AutoPinOptions = { prog: string; user?: string | undefined }

/**
 * Keeps what the symlink `linkPath` leads to, now and whatever it leads to later.
 * The link must exist and lead into the store, and what it leads to be protected
 * until this returns. Idempotent. Throws NOT_SYMLINK, BAD_NAME, PERMISSION.
 */
export async function autoPin(
  store: Pick<Store, 'paths'>,
  linkPath: string,
  { prog, user }: AutoPinOptions,
): Promise<{ autoPin: string; path: string; cid: CID }> {
  const path = physical(store, linkPath)
  const directory = join(progDirectory(store.paths, user ?? userName(), prog), AUTO)
  const pin = join(directory, autoPinName(path))
  requireRoomForLinks(store.paths, user ?? userName())
  const found = resolveLink(path, storeSpellings(store.paths))
  if (found.state !== 'store' || found.via[0] !== path) throw notALink(linkPath)
  makePrefixDirectory(directory)
  const record = makeRecord(found.cid, found.via, readMounts())
  // The record is there from before the link to after it: a link without one may keep nothing where it cannot be read.
  writeRecord(pin, record)
  placeLink(path, directory, pin)
  writeRecord(pin, record)
  return { autoPin: pin, path, cid: found.cid }
}

/** Ends an auto pin; the user's own link stays. Returns false when there is none. Throws BAD_NAME, PERMISSION. */
export async function removeAutoPin(
  store: Pick<Store, 'paths'>,
  linkPath: string,
  { prog, user }: AutoPinOptions,
): Promise<boolean> {
  const directory = join(progDirectory(store.paths, user ?? userName(), prog), AUTO)
  const pin = join(directory, autoPinName(physical(store, linkPath)))
  const was = [pin, droppingName(pin)].map(removeLink).includes(true)
  removeLink(recordFile(pin))
  if (was) flushRemoval(directory)
  return was
}

/**
 * Drops auto pins whose links were deleted, looking again, and gives those that
 * were dropped. Does in each directory only what its owner might do (and leaves it
 * where it is not the directory of that user any more). Throws IO.
 */
export async function dropGone(
  { paths }: Pick<Store, 'paths'>,
  gone: readonly GoneAutoPin[],
  at?: AtPoint,
): Promise<GoneAutoPin[]> {
  const stores = storeSpellings(paths)
  const dropped: GoneAutoPin[] = []
  for (const one of gone) {
    const directory = dirname(one.autoPin)
    const owner = ownerOf(paths, one.autoPin)
    if (owner === undefined) continue
    const done = await withOwnedAsync(directory, owner, (path) =>
      drop(join(path, basename(one.autoPin)), stores, at),
    )
    if (done) dropped.push(one)
  }
  return dropped
}

/** True when it was dropped. */
async function drop(autoPin: string, stores: readonly string[], at?: AtPoint): Promise<boolean> {
  const [steady, dropping] = [steadyName(autoPin), droppingName(autoPin)]
  try {
    if (autoPin !== dropping) renameSync(autoPin, dropping)
    await pass('pin-set-aside', at)
    const mounts = readMounts()
    const gone = resolveLink(readlinkSync(dropping), stores, mountsToAvoid(mounts)).state === 'gone'
    if (!gone || !isTrulyGone(readRecord(steady), mounts)) {
      // Onto a newer one maybe: both say the same, for the name is the hash of what they say.
      renameSync(dropping, steady)
      return false
    }
    unlinkSync(dropping)
    dropRecord(steady)
    fsyncDirectory(dirname(autoPin))
    return true
  } catch (error) {
    // Its owner removed it, or put something else in its place; or we may not.
    if (isErrno(error, 'ENOENT', 'EINVAL', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** Removes the record, but not that of a pin that was made again meanwhile: whoever made it looks for it when the pin is there. */
function dropRecord(steady: string): void {
  const aside = join(dirname(steady), `${UNFINISHED}${randomBytes(6).toString('hex')}`)
  try {
    renameSync(recordFile(steady), aside)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  try {
    if (lstatSync(steady, { throwIfNoEntry: false })) linkSync(aside, recordFile(steady))
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  } finally {
    removeLink(aside)
  }
}

/** One path for the same link, however it is reached. Never below the mount: asking there could wait for ever. */
function physical({ paths }: Pick<Store, 'paths'>, linkPath: string): string {
  const path = resolve(linkPath)
  if (path.startsWith(`${paths.store}/`)) throw notALink(linkPath)
  return join(realpathSync(dirname(path)), basename(path))
}

function notALink(path: string): PkgError {
  return new PkgError('NOT_SYMLINK', `${path} is not a symlink into the store`)
}
