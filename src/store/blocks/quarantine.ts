// var/quarantine: where block files go that failed their hash. A file there is
// named as the block was, with `-<random>` behind it where one was there already.
// It is evidence and no copy: nothing is ever read back from it unverified.

import { lstatSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../../errors.ts'
import { namesIn } from '../../files/directory.ts'
import type { PrefixPaths } from '../../paths.ts'
import { blockName, type CID, cidOfBlockName } from '../cid.ts'

/** None where it is closed to this user. */
const CLOSED = ['EACCES']

type Quarantine = Pick<PrefixPaths, 'quarantine'>

export type QuarantinedBlock = { cid: CID; file: string }

/** True when a file of this block was found damaged and moved away. */
export function isQuarantined({ quarantine }: Quarantine, cid: CID): boolean {
  return lstatSync(join(quarantine, blockName(cid)), { throwIfNoEntry: false }) !== undefined
}

/** All that lies there, by raw CIDs. */
export function listQuarantine({ quarantine }: Quarantine): QuarantinedBlock[] {
  return namesIn(quarantine, CLOSED).flatMap((name) => {
    const cid = cidOfBlockName(name.split('-')[0] as string)
    return cid ? [{ cid, file: join(quarantine, name) }] : []
  })
}

/** Removes what lies there of these blocks: their content has come back. What may not be removed stays. */
export function leaveQuarantine({ quarantine }: Quarantine, cids: Iterable<CID>): void {
  const names = namesIn(quarantine, CLOSED)
  if (names.length === 0) return
  const healed = new Set(Array.from(cids, blockName))
  for (const name of names) {
    if (healed.has(name.split('-')[0] as string)) removeQuietly(join(quarantine, name))
  }
}

/** The error for a block that is not here: it never was, or it was found damaged and moved away. */
export function absentBlock(paths: Quarantine, cid: CID): PkgError {
  if (!isQuarantined(paths, cid)) return missingBlock(cid)
  return new PkgError('MISSING_BLOCK', `block ${cid} was found damaged and is in ${paths.quarantine}`, {
    hint: 'Add or import the content it belongs to again, from where it came: that heals it.',
  })
}

/** The error for a block that is not here, where nobody looks into the quarantine. */
export function missingBlock(cid: CID): PkgError {
  return new PkgError('MISSING_BLOCK', `block ${cid} is not in the store`, {
    hint: 'Add the content it belongs to: `pkg store add` or `pkg store import`.',
  })
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    // EISDIR: what stood in a block's place was never ours, and may hold anything.
    if (!isErrno(error, 'ENOENT', 'EISDIR', 'EACCES', 'EPERM', 'EROFS')) throw error
  }
}
