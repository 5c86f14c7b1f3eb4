// Auto pins: `pins/per-user/<user>/<prog>/auto/<hash(path)>` points to a symlink
// that its owner keeps anywhere; as long as that one leads into the store, what
// it leads to stays.
//
// The collector drops an auto pin whose link was deleted. That, and making one,
// both happen under `pins/lock`: else a link that is deleted and made again in
// between would be left without its auto pin.

import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { PkgError } from '../errors.ts'
import { fsyncDirectory } from '../files/atomic.ts'
import { withLock } from '../files/lock.ts'
import { userName } from '../paths.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { isTrulyGone, makeRecord, readRecord, writeRecord } from './auto-record.ts'
import { readMounts } from './mount-table.ts'
import { AUTO, autoPinName, progDirectory, recordFile } from './names.ts'
import { placeLink, removeLink } from './pins.ts'
import { resolveLink, storeSpellings } from './resolve-link.ts'
import type { GoneAutoPin } from './root.ts'

export type AutoPinOptions = { prog: string; user?: string | undefined }

/**
 * Keeps what the symlink `linkPath` leads to, now and whatever it leads to later.
 * The link must exist and lead into the store, and what it leads to be protected
 * until this returns. Idempotent. Throws NOT_SYMLINK, BAD_NAME, PERMISSION, BUSY.
 */
export async function autoPin(
  store: Pick<Store, 'paths'>,
  linkPath: string,
  { prog, user }: AutoPinOptions,
): Promise<{ autoPin: string; path: string; cid: CID }> {
  const path = physical(store, linkPath)
  const directory = join(progDirectory(store.paths, user ?? userName(), prog), AUTO)
  const pin = join(directory, autoPinName(path))
  return withLock(store.paths.pinsLock, () => {
    const found = resolveLink(path, storeSpellings(store.paths))
    if (found.state !== 'store' || found.via[0] !== path) throw notALink(linkPath)
    // The record comes after the link: without a link it is nothing, without a record a link is only kept more anxiously.
    placeLink(path, directory, pin)
    writeRecord(pin, makeRecord(found.cid, found.via, readMounts()))
    return { autoPin: pin, path, cid: found.cid }
  })
}

/** Ends an auto pin; the user's own link stays. Returns false when there is none. Throws BAD_NAME, PERMISSION, BUSY. */
export async function removeAutoPin(
  store: Pick<Store, 'paths'>,
  linkPath: string,
  { prog, user }: AutoPinOptions,
): Promise<boolean> {
  const directory = join(progDirectory(store.paths, user ?? userName(), prog), AUTO)
  const pin = join(directory, autoPinName(physical(store, linkPath)))
  return withLock(store.paths.pinsLock, () => unlinkAutoPin(pin))
}

/**
 * Drops auto pins whose links were deleted, looking again under the lock, and
 * gives those that were dropped. Throws PERMISSION, BUSY.
 */
export async function dropGone(
  store: Pick<Store, 'paths'>,
  gone: readonly GoneAutoPin[],
): Promise<GoneAutoPin[]> {
  if (gone.length === 0) return []
  const stores = storeSpellings(store.paths)
  return withLock(store.paths.pinsLock, () => {
    const mounts = readMounts()
    return gone.filter(({ autoPin: pin }) => {
      const still = resolveLink(pin, stores).state === 'gone' && isTrulyGone(readRecord(pin), mounts)
      return still && unlinkAutoPin(pin)
    })
  })
}

/** The link goes first: a record alone keeps nothing. The caller holds `pins/lock`. */
function unlinkAutoPin(pin: string): boolean {
  const was = removeLink(pin)
  removeLink(recordFile(pin))
  if (was) fsyncDirectory(dirname(pin))
  return was
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
