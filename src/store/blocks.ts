// Block files: read with verification, listed, deleted.
// Keeps invariant 1: `get` gives bytes that hash to the CID, or throws. A file
// that fails is moved to var/quarantine, so that adding the same content again
// writes it anew instead of finding it "already there".

import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { hasCode, isErrno, PkgError } from '../errors.ts'
import { makeDirectory } from '../files/directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { type BlockKey, blockKey, type CID, cidOfBlockName, rawCidOfKey } from './cid.ts'
import { identityBytes, isIdentity, verifyBlock } from './hash.ts'
import { absentBlock, isQuarantined } from './quarantine.ts'
import { blockFile, shardNames } from './shards.ts'

/** The largest block that peers exchange (Bitswap's limit; IPIP-499 and trustless gateways follow it). */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024

/** What reading needs: Blocks, or anything else that gives verified bytes. */
export interface BlockGetter {
  /** The block's bytes, verified. Throws MISSING_BLOCK, CORRUPT_BLOCK, UNSUPPORTED. */
  get(cid: CID): Uint8Array
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
    return isIdentity(cid) || existsSync(this.file(cid))
  }

  /** Bytes of the block's file, unverified; undefined when it is missing. */
  size(cid: CID): number | undefined {
    if (isIdentity(cid)) return cid.multihash.digest.length
    return statSync(this.file(cid), { throwIfNoEntry: false })?.size
  }

  get(cid: CID): Uint8Array {
    if (isIdentity(cid)) return identityBytes(cid)
    const bytes = this.#read(cid)
    this.check(cid, bytes)
    return bytes
  }

  /** The file's bytes, unverified, at most one more than a block may have. Throws MISSING_BLOCK, IO. */
  #read(cid: CID): Uint8Array {
    const file = this.file(cid)
    let fd: number
    try {
      fd = openSync(file, 'r')
    } catch (cause) {
      if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
      throw this.absent(cid)
    }
    try {
      const buffer = Buffer.allocUnsafeSlow(Math.min(statSync(file).size, MAX_BLOCK_BYTES + 1))
      let length = 0
      while (length < buffer.length) {
        const count = readSync(fd, buffer, length, buffer.length - length, length)
        if (count === 0) break
        length += count
      }
      return buffer.subarray(0, length)
    } catch (cause) {
      // The collector, or somebody's quarantine, took it between open and stat.
      if (isErrno(cause, 'ENOENT')) throw this.absent(cid)
      throw new PkgError('IO', `block ${cid} cannot be read`, { cause })
    } finally {
      closeSync(fd)
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
    const away = join(this.#paths.quarantine, basename(file))
    try {
      makeDirectory(this.#paths.quarantine)
      renameSync(file, away)
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
      if (!isErrno(error, 'ENOENT')) throw error
    }
  }

  /** Every block file, shard by shard; what is added or deleted meanwhile may be seen or not. */
  *list(): Generator<ListedBlock> {
    for (const shard of shardNames()) {
      const directory = join(this.#paths.blocks, shard)
      for (const name of readNames(directory)) {
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

function putBackIfRight(cid: CID, away: string, file: string): boolean {
  try {
    verifyBlock(cid, readFileSync(away))
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

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
