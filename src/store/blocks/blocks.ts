// Block files: read with verification, listed, deleted.
// Keeps invariant 1: `get` gives bytes that hash to the CID, or throws. A file
// that fails is moved to var/quarantine, so that adding the same content again
// writes it anew instead of finding it "already there".

import { randomBytes } from 'node:crypto'
import { closeSync, linkSync, renameSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { hasCode, isErrno, PkgError } from '../../errors.ts'
import { makePrefixDirectory, namesIn } from '../../files/directory.ts'
import type { PrefixPaths } from '../../paths.ts'
import { type BlockKey, blockKey, type CID, cidOfBlockName, rawCidOfKey } from '../cid.ts'
import { blockFileSize, type OpenBlockFile, openBlockFile, readBlockFile, readInto } from './block-file.ts'
import { identityBytes, isIdentity, verifyBlock } from './hash.ts'
import { absentBlock, isQuarantined } from './quarantine.ts'
import { blockFile, shardNames } from './shards.ts'

/** What reading needs: Blocks, or anything else that gives verified bytes. */
export interface BlockGetter {
  /** The block's bytes, verified. Throws MISSING_BLOCK, CORRUPT_BLOCK, UNSUPPORTED. */
  get(cid: CID): Uint8Array
  /**
   * True when the bytes of raw blocks may be looked at only until the caller lets the event
   * loop go on. To ask again is cheap then.
   */
  readonly lends?: boolean
}

export type ListedBlock = { key: BlockKey; cid: CID; file: string }

export class Blocks implements BlockGetter {
  readonly #paths: Pick<PrefixPaths, 'blocks' | 'quarantine'>

  constructor(paths: Pick<PrefixPaths, 'blocks' | 'quarantine'>) {
    this.#paths = paths
  }

  /** Where the block lies, or would. */
  file(cid: CID): string {
    return blockFile(this.#paths.blocks, cid)
  }

  /** True when there is a file for the block (its bytes are not looked at), or the CID carries it. */
  has(cid: CID): boolean {
    return this.size(cid) !== undefined
  }

  /** Bytes of the block's file, unverified; undefined when it is missing. */
  size(cid: CID): number | undefined {
    if (isIdentity(cid)) return cid.multihash.digest.length
    return blockFileSize(this.file(cid))
  }

  get(cid: CID): Uint8Array {
    if (isIdentity(cid)) return identityBytes(cid)
    const { fd, size } = this.open(cid)
    let bytes: Uint8Array
    try {
      bytes = readInto(fd, Buffer.allocUnsafeSlow(size))
    } catch (cause) {
      throw new PkgError('IO', `block ${cid} cannot be read`, { cause })
    } finally {
      closeSync(fd)
    }
    this.check(cid, bytes)
    return bytes
  }

  /**
   * Opens the block's file, for whoever reads it by other means; see `check`. What is
   * no file goes to the quarantine. Throws MISSING_BLOCK, CORRUPT_BLOCK.
   */
  open(cid: CID): OpenBlockFile {
    try {
      return openBlockFile(this.file(cid))
    } catch (cause) {
      if (isErrno(cause, 'ENOENT', 'ENOTDIR')) throw this.absent(cid)
      if (!hasCode(cause, 'CORRUPT_BLOCK')) throw cause
      this.quarantine(cid)
      throw new PkgError('CORRUPT_BLOCK', `block ${cid} is damaged: ${cause.message}`, { cause })
    }
  }

  /**
   * Verifies bytes that were read from the block's file by other means; on
   * CORRUPT_BLOCK the file goes to the quarantine before the error is thrown.
   */
  check(cid: CID, bytes: Uint8Array): void {
    try {
      verifyBlock(cid, bytes)
    } catch (error) {
      if (hasCode(error, 'CORRUPT_BLOCK')) this.quarantine(cid)
      throw error
    }
  }

  /**
   * Moves the block's file out of the way and says whether it did. Not where we
   * may not write; and a file that turns out to be right (somebody healed it in
   * between) is put back.
   */
  quarantine(cid: CID): boolean {
    const file = this.file(cid)
    let away = join(this.#paths.quarantine, basename(file))
    try {
      makePrefixDirectory(this.#paths.quarantine)
      away = moveAway(file, away)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EXDEV')) return false
      throw error
    }
    return !putBackIfRight(cid, away, file)
  }

  /** True when a file of the block was found damaged and moved away. It may have come back since. */
  isQuarantined(cid: CID): boolean {
    return isQuarantined(this.#paths, cid)
  }

  /** The error for a block that is not here: MISSING_BLOCK, which says where it was found damaged. */
  absent(cid: CID): PkgError {
    return absentBlock(this.#paths, cid)
  }

  /** Removes the block's file; nothing happens when there is none. */
  delete(cid: CID): void {
    if (isIdentity(cid)) return
    try {
      unlinkSync(this.file(cid))
    } catch (error) {
      if (isErrno(error, 'EISDIR')) this.quarantine(cid)
      else if (!isErrno(error, 'ENOENT')) throw error
    }
  }

  /** Every block file, shard by shard; what is added or deleted meanwhile may be seen or not. */
  *list(): Generator<ListedBlock> {
    for (const shard of shardNames()) {
      const directory = join(this.#paths.blocks, shard)
      for (const name of namesIn(directory)) {
        const cid = cidOfBlockName(name)
        if (cid) yield { key: blockKey(cid), cid, file: `${directory}/${name}` }
      }
    }
  }

  /** A raw CID for a key of `list`, for messages. */
  static cidOf(key: BlockKey): CID {
    return rawCidOfKey(key)
  }
}

/** Gives the new name: another than `away` when a directory is there, or comes from here. */
function moveAway(file: string, away: string): string {
  try {
    renameSync(file, away)
    return away
  } catch (error) {
    if (!isErrno(error, 'EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST')) throw error
  }
  const other = `${away}-${randomBytes(6).toString('hex')}`
  renameSync(file, other)
  return other
}

function putBackIfRight(cid: CID, away: string, file: string): boolean {
  try {
    verifyBlock(cid, readBlockFile(away))
  } catch {
    return false
  }
  try {
    linkSync(away, file)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
  unlinkSync(away)
  return true
}
