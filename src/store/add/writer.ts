// Writing blocks beside a running collector (invariants 2 and 5).
//
// For every block, in this order:
//   1. its multihash goes into our temp pin;
//   2. if a collector is at work, the batch of deletes that it may be in the
//      middle of, and for which it read the temp pins before 1, is waited for
//      (settle.ts);
//   3. we look whether its file is there: what is stays, since every later batch
//      and every later collector reads the temp pin before it deletes;
//   4. absent, or left short by a crash: we write it (temp, rename), and what we
//      wrote stays for the same reason.
// No lock is taken while no collector runs, and one for a moment a call while one does.

import { randomBytes } from 'node:crypto'
import { closeSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isErrno, PkgError } from '../../errors.ts'
import { writeAll } from '../../files/atomic.ts'
import { FEW_FILES } from '../../files/barrier.ts'
import { removeIfThere } from '../../files/directory.ts'
import { BLOCK_MODE, ensurePrefixEntry, openPrefixFile } from '../../files/modes.ts'
import type { PrefixPaths } from '../../paths.ts'
import { blockFileSize, MAX_BLOCK_BYTES } from '../blocks/block-file.ts'
import { Blocks } from '../blocks/blocks.ts'
import { isIdentity } from '../blocks/hash.ts'
import { leaveQuarantine } from '../blocks/quarantine.ts'
import { blockFile } from '../blocks/shards.ts'
import type { CID } from '../cid.ts'
import { settle } from './settle.ts'
import type { TempPin } from './temp-pin.ts'

export type Block = { cid: CID; bytes: Uint8Array }

export type WriteFigures = { written: number; present: number; writtenBytes: number }

export type WriterPaths = Pick<
  PrefixPaths,
  'blocks' | 'blocksTemp' | 'quarantine' | 'pinsLock' | 'collector'
> & {
  /** not made beforehand, as in every prefix, but one by one when a block comes */
  lateShards?: boolean
  /** another directory of blocks, where they go in the end: what is there is written here too, but is not new */
  elsewhere?: string | undefined
}

/** Begins with the pid, so that a collector can tell whose leftovers they are; random, since pids come again. */
const tempPrefix = `${process.pid}-${randomBytes(6).toString('hex')}`
let nextTemp = 0

export class BlockWriter {
  readonly #paths: WriterPaths
  readonly #tempPin: TempPin
  /** Files the barrier has to flush; undefined once there are more than it is worth to name. */
  #touched: Set<string> | undefined = new Set()

  constructor(paths: WriterPaths, tempPin: TempPin) {
    this.#paths = paths
    this.#tempPin = tempPin
  }

  /**
   * Puts these blocks into the store; when it returns they are there and
   * protected as long as the temp pin lives, though not yet on stable storage
   * (see `takeTouched`). The caller vouches that the bytes hash to the CID.
   * Throws BAD_NODE for a block over 2 MiB, NO_SPACE, PERMISSION, READ_ONLY.
   */
  async write(batch: readonly Block[]): Promise<WriteFigures> {
    const blocks = batch.filter(({ cid }) => !isIdentity(cid))
    for (const { cid, bytes } of blocks) refuseLarge(cid, bytes)
    await settle(this.#paths, this.#tempPin.addBlocks(blocks.map(({ cid }) => cid.multihash.bytes)))
    const figures = { written: 0, present: 0, writtenBytes: 0 }
    let touched = false
    for (const block of blocks) {
      const isPresent = this.#isPresent(block)
      if (!isPresent) this.#writeNew(block)
      touched ||= !isPresent
      if (isPresent || this.#isElsewhere(block)) figures.present += 1
      else {
        figures.written += 1
        figures.writtenBytes += block.bytes.length
      }
    }
    if (touched) {
      leaveQuarantine(
        this.#paths,
        blocks.map(({ cid }) => cid),
      )
    }
    return figures
  }

  /**
   * The files that were written or relied upon since the last call, for the
   * durability barrier; undefined when they are too many to flush one by one.
   */
  takeTouched(): Set<string> | undefined {
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }

  /** A file of another length is what a crash before the barrier leaves: it is written anew. */
  #isPresent({ cid, bytes }: Block): boolean {
    const file = blockFile(this.#paths.blocks, cid)
    this.#touch(file)
    return blockFileSize(file) === bytes.length
  }

  #isElsewhere({ cid, bytes }: Block): boolean {
    const { elsewhere } = this.#paths
    return elsewhere !== undefined && blockFileSize(blockFile(elsewhere, cid)) === bytes.length
  }

  #writeNew({ cid, bytes }: Block): void {
    const temp = join(this.#paths.blocksTemp, `${tempPrefix}-${nextTemp++}`)
    try {
      const fd = openPrefixFile(temp, 'wx', BLOCK_MODE)
      try {
        writeAll(fd, bytes)
      } finally {
        closeSync(fd)
      }
      this.#place(temp, cid)
    } catch (error) {
      removeIfThere(temp)
      throw error
    }
  }

  /** A directory in its place is moved away; anything else there is replaced. */
  #place(temp: string, cid: CID): void {
    const file = blockFile(this.#paths.blocks, cid)
    try {
      renameSync(temp, file)
    } catch (error) {
      if (this.#paths.lateShards && isErrno(error, 'ENOENT')) {
        ensurePrefixEntry(dirname(file))
        renameSync(temp, file)
        return
      }
      if (!isErrno(error, 'EISDIR') || !new Blocks(this.#paths).quarantine(cid)) throw error
      renameSync(temp, file)
    }
  }

  #touch(file: string): void {
    if (this.#touched === undefined) return
    this.#touched.add(file)
    if (this.#touched.size > FEW_FILES) this.#touched = undefined
  }
}

function refuseLarge(cid: CID, bytes: Uint8Array): void {
  if (bytes.length <= MAX_BLOCK_BYTES) return
  throw new PkgError(
    'BAD_NODE',
    `block ${cid} has ${bytes.length} bytes; a block may have ${MAX_BLOCK_BYTES}`,
  )
}
