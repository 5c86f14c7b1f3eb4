// Writing blocks beside a running collector (invariants 2 and 5).
//
// For every block, in this order:
//   1. its multihash goes into our temp pin;
//   2. we look whether its file is there;
//   3. absent: we write it (temp, rename). No collector takes it: none can have
//      listed a file that was not there, and every later one reads the temp pin.
//   4. present: if no collector is at work, every later one will read the temp
//      pin before it deletes. If one is, it may have read the temp pins before 1
//      and delete the file after 2; it does both under `pins/lock`, so we look
//      again while we hold that lock: what is there then stays, what is gone we
//      write as in 3.
// No lock is taken for new blocks, and none at all while no collector runs.

import { randomBytes } from 'node:crypto'
import { closeSync, openSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { writeAll } from '../files/atomic.ts'
import { FEW_FILES } from '../files/barrier.ts'
import { isLocked, withLock } from '../files/lock.ts'
import type { PrefixPaths } from '../paths.ts'
import { MAX_BLOCK_BYTES } from './blocks.ts'
import type { CID } from './cid.ts'
import { isIdentity } from './hash.ts'
import { blockFile } from './shards.ts'
import type { TempPin } from './temp-pin.ts'

export type Block = { cid: CID; bytes: Uint8Array }

export type WriteFigures = { written: number; present: number; writtenBytes: number }

type WriterPaths = Pick<PrefixPaths, 'blocks' | 'blocksTemp' | 'pinsLock' | 'collector'>

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
    this.#tempPin.addBlocks(blocks.map(({ cid }) => cid.multihash.bytes))
    const figures = { written: 0, present: 0, writtenBytes: 0 }
    const found: Block[] = []
    for (const block of blocks) {
      if (this.#isPresent(block)) found.push(block)
      else this.#writeNew(block, figures)
    }
    const gone = found.length > 0 && isLocked(this.#paths.collector) ? await this.#goneUnderLock(found) : []
    for (const block of gone) this.#writeNew(block, figures)
    figures.present = found.length - gone.length
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

  async #goneUnderLock(found: readonly Block[]): Promise<Block[]> {
    return withLock(this.#paths.pinsLock, () => found.filter((block) => !this.#isPresent(block)))
  }

  /** A file of another length is what a crash before the barrier leaves: it is written anew. */
  #isPresent({ cid, bytes }: Block): boolean {
    const file = blockFile(this.#paths.blocks, cid)
    this.#touch(file)
    return statSync(file, { throwIfNoEntry: false })?.size === bytes.length
  }

  #writeNew({ cid, bytes }: Block, figures: WriteFigures): void {
    const temp = join(this.#paths.blocksTemp, `${tempPrefix}-${nextTemp++}`)
    try {
      const fd = openSync(temp, 'wx', 0o444)
      try {
        writeAll(fd, bytes)
      } finally {
        closeSync(fd)
      }
      renameSync(temp, blockFile(this.#paths.blocks, cid))
    } catch (error) {
      removeIfThere(temp)
      throw error
    }
    figures.written += 1
    figures.writtenBytes += bytes.length
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

function removeIfThere(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
