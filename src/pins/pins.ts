// Pins: links in `pins/per-user/<user>/<prog>/` by which a user keeps a DAG.
// A pin that was reported lasts: its DAG is whole and on stable storage before
// the link is (invariants 2 and 4). No lock is needed: until the link is there a
// temp pin holds the DAG, and a collector never removes a pin.

import { rmdirSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { fsyncDirectory, symlinkAtomic } from '../files/atomic.ts'
import { fillPrefixDirectory } from '../files/directory.ts'
import { type PrefixPaths, userName } from '../paths.ts'
import { withAdd } from '../store/add/add.ts'
import { type CID, sameBlock } from '../store/cid.ts'
import { missingBlocks } from '../store/links/closure.ts'
import type { Store } from '../store/store.ts'
import { findHungMounts } from './hung-mounts.ts'
import { requireRoomForLinks } from './link-limit.ts'
import { readLinks } from './links.ts'
import { pinName, pinTarget, progDirectory } from './names.ts'

export type Pin = {
  kind: 'pin' | 'auto'
  user: string
  prog: string
  cid: CID
  /** the pin's link; of an auto pin the user's own link */
  path: string
  /** of an auto pin whose link cannot be read now: what it led to when it last could */
  remembered?: boolean
}

export type AddPinOptions = {
  prog: string
  cid: CID
  user?: string | undefined
  /** keep what there is of a DAG that is not whole here, instead of refusing it */
  partial?: boolean
}

/**
 * Pins a DAG that is in the store. Idempotent. Throws INCOMPLETE when blocks of it
 * are missing, BAD_NAME, PERMISSION, NO_SPACE.
 */
export async function addPin(
  store: Store,
  { prog, cid, user, partial = false }: AddPinOptions,
): Promise<Pin> {
  const owner = user ?? userName()
  const directory = progDirectory(store.paths, owner, prog)
  requireRoomForLinks(store.paths, owner)
  return withAdd(store, async (add) => {
    await add.rely(cid, { partial })
    // Noted as complete means on stable storage too.
    if (!store.index.isComplete(cid)) {
      const whole = !partial || missingBlocks(store, cid, 1).length === 0
      await add.commit(whole ? [cid] : [])
    }
    const path = join(directory, pinName(cid))
    placeLink(pinTarget(store.paths, directory, cid), directory, path)
    return { kind: 'pin', user: owner, prog, cid, path }
  })
}

/**
 * Removes a pin; without `cid` all pins of that name, but not its auto pins. What
 * it kept lies there until the next collection. When this returns, no crash
 * brings the link back. Throws NOT_FOUND when there is none, BAD_NAME, PERMISSION.
 */
export async function removePin(
  store: Pick<Store, 'paths'>,
  { prog, cid, user }: { prog: string; cid?: CID | undefined; user?: string | undefined },
): Promise<Pin[]> {
  const owner = user ?? userName()
  const directory = progDirectory(store.paths, owner, prog)
  const found = (await listPins(store, { user: owner })).filter(
    (pin) => pin.kind === 'pin' && pin.prog === prog && (cid === undefined || sameBlock(pin.cid, cid)),
  )
  const removed = found.filter(({ path }) => removeLink(path))
  if (removed.length === 0) throw noPin(owner, prog, cid?.toString())
  flushRemoval(directory)
  removeIfEmpty(directory)
  return removed
}

export function noPin(user: string, prog: string, of?: string): PkgError {
  return new PkgError('NOT_FOUND', `${user} has no pin ${prog}${of === undefined ? '' : ` of ${of}`}`, {
    hint: '`pkg pin list` shows them.',
  })
}

/** Pins and auto pins of one user, or of all, by user and name. One that cannot be read and is not remembered is left out. */
export async function listPins(
  { paths }: { paths: PrefixPaths },
  { user }: { user?: string | undefined } = {},
): Promise<Pin[]> {
  await findHungMounts(paths)
  const pins = readLinks(paths, { user }).roots.flatMap((root): Pin[] => {
    if ((root.kind !== 'pin' && root.kind !== 'auto') || root.user === undefined) return []
    if (user !== undefined && root.user !== user) return []
    const { kind, cid, path, name: prog, remembered } = root
    return [{ kind, user: root.user, prog, cid, path, ...(remembered && { remembered }) }]
  })
  return pins.sort((a, b) => compare(a.user, b.user) || compare(a.prog, b.prog) || compare(a.path, b.path))
}

/** Makes a link in a directory that somebody else may be removing because it was empty. */
export function placeLink(target: string, directory: string, path: string): void {
  fillPrefixDirectory(directory, () => symlinkAtomic(target, path))
}

/** Removes a link; false when somebody else did. */
export function removeLink(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** Has the removal of an entry last; also where somebody took the directory away, with its last entry, since. */
export function flushRemoval(directory: string): void {
  try {
    fsyncDirectory(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    fsyncDirectory(dirname(directory))
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) throw error
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
