// Blocks that wait until the CAR they came in has proved whole and true, so that
// a refused one leaves nothing behind. A few MiB wait in memory, more of them in
// a file without a name, which no crash can leave behind either.

import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PkgError } from '../../errors.ts'
import { writeAll } from '../../files/atomic.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { Block } from '../add/writer.ts'
import { CID } from '../cid.ts'

/** What waits in memory if not told otherwise, and what one batch has: many small blocks, but few large ones. */
const BATCH_BYTES = 8 * 1024 * 1024
const BATCH_BLOCKS = 4096
/** Before each block in the file: the lengths of its CID and of its bytes, 32 bits each. */
const RECORD_HEADER = 8

export class Spool {
  readonly #paths: Pick<PrefixPaths, 'blocksTemp'>
  readonly #memoryBytes: () => number
  #batch: Block[] = []
  #batchBytes = 0
  #fd: number | undefined
  /** lengths of the batches that lie in the file, one behind the other */
  readonly #written: number[] = []
  /** how much of the file was read back */
  #at = 0

  /** `memoryBytes`: how much may wait in memory, now. */
  constructor(paths: Pick<PrefixPaths, 'blocksTemp'>, memoryBytes = () => BATCH_BYTES) {
    this.#paths = paths
    this.#memoryBytes = memoryBytes
  }

  add(block: Block): void {
    this.#batch.push(block)
    this.#batchBytes += block.bytes.length
    if (this.#batchBytes >= this.#memoryBytes() || this.#batch.length >= BATCH_BLOCKS) this.#write()
  }

  /** All blocks in the order they were added, in batches; for use once, after the last `add`. */
  *batches(): Generator<Block[]> {
    for (const length of this.#written) yield this.#read(length)
    if (this.#batch.length > 0) yield this.#batch
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #write(): void {
    const pieces = this.#batch.flatMap(({ cid, bytes }) => [lengths(cid.bytes, bytes), cid.bytes, bytes])
    const batch = Buffer.concat(pieces)
    this.#fd ??= this.#open()
    writeAll(this.#fd, batch)
    this.#written.push(batch.length)
    this.#batch = []
    this.#batchBytes = 0
  }

  #open(): number {
    const file = join(this.#paths.blocksTemp, `car-${process.pid}-${randomBytes(6).toString('hex')}`)
    const fd = openSync(file, 'wx+', 0o600)
    unlinkSync(file)
    return fd
  }

  #read(length: number): Block[] {
    const batch = Buffer.allocUnsafeSlow(length)
    for (let have = 0; have < length; ) {
      const count = readSync(this.#fd as number, batch, have, length - have, this.#at)
      if (count === 0) throw new PkgError('IO', 'the file that holds a CAR while it is read has lost its end')
      have += count
      this.#at += count
    }
    const blocks: Block[] = []
    for (let at = 0; at < length; ) {
      const cidEnd = at + RECORD_HEADER + batch.readUInt32LE(at)
      const end = cidEnd + batch.readUInt32LE(at + 4)
      blocks.push({
        cid: CID.decode(batch.subarray(at + RECORD_HEADER, cidEnd)),
        bytes: batch.subarray(cidEnd, end),
      })
      at = end
    }
    return blocks
  }
}

function lengths(cid: Uint8Array, bytes: Uint8Array): Uint8Array {
  const header = Buffer.alloc(RECORD_HEADER)
  header.writeUInt32LE(cid.length, 0)
  header.writeUInt32LE(bytes.length, 4)
  return header
}
