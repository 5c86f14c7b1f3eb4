// Importing a CAR: every block's hash is checked, and nothing is kept before the
// last byte proved that the CAR is whole and true (invariants 1 and 7). Any valid
// CAR will do: parts of DAGs, nodes that are not UnixFS, other hash functions.

import { hasCode, PkgError } from '../../errors.ts'
import type { AddSession } from '../add/add.ts'
import type { Block } from '../add/writer.ts'
import { verifyBlock } from '../blocks/hash.ts'
import type { CID } from '../cid.ts'
import { missingBlocksInTurns } from '../links/closure.ts'
import { indexNodesOf } from '../links/links.ts'
import { parseCar } from './parse.ts'
import { Spool } from './spool.ts'

/** So many walks we do for a CAR that holds parts of DAGs: a header can list thousands of roots. */
const ROOTS_CHECKED = 32

/** What was read so far, and whether it is being stored by now. */
export type CarProgress = { phase: 'reading' | 'storing'; blocks: number; bytes: number }

export type ImportCarOptions = {
  signal?: AbortSignal
  onProgress?: (progress: CarProgress) => void
  /** bytes of blocks that may wait in memory, asked before each; 8 MiB if not given */
  memoryBytes?: (() => number) | undefined
}

export type ImportedCar = {
  /** as the CAR's header lists them, each once */
  roots: CID[]
  /** those of the roots (of the first 32, if not of all) whose whole DAG is in the store now: for `commit` */
  complete: CID[]
  /** blocks in the CAR, and their bytes */
  blocks: number
  bytes: number
  /** those that were not in the store before */
  newBlocks: number
  newBytes: number
}

/**
 * Puts all blocks of a CAR (version 1 or 2) into the store, under the session's
 * protection; its roots too, with what they reach that was here before. Memory
 * stays bounded. The caller commits, links the roots and closes the session.
 * Throws BAD_CAR for what is cut short, lies or does not hash to its CID, and
 * UNSUPPORTED for a hash function that cannot be checked: no block is kept then.
 * An abort, or a full disk, while it stores leaves blocks to the collector.
 */
export async function importCar(
  add: AddSession,
  source: AsyncIterable<Uint8Array>,
  { signal, onProgress, memoryBytes }: ImportCarOptions = {},
): Promise<ImportedCar> {
  signal?.throwIfAborted()
  const spool = new Spool(add.places, memoryBytes)
  try {
    const car = await parseCar(source)
    const read: CarProgress = { phase: 'reading', blocks: 0, bytes: 0 }
    for await (const block of car.blocks) {
      signal?.throwIfAborted()
      verify(block)
      spool.add(block)
      read.blocks += 1
      read.bytes += block.bytes.length
      onProgress?.(read)
    }
    const roots = unique(car.roots)
    // What they reach that was here before need not be on stable storage yet.
    await add.rely(roots, { partial: true })
    const stored = await storeAll(add, spool, { signal, onProgress })
    return { roots, complete: await wholeOnes(add, roots), blocks: read.blocks, bytes: read.bytes, ...stored }
  } finally {
    spool.close()
  }
}

function verify({ cid, bytes }: Block): void {
  try {
    verifyBlock(cid, bytes)
  } catch (cause) {
    if (!hasCode(cause, 'CORRUPT_BLOCK')) throw cause
    throw new PkgError(
      'BAD_CAR',
      `this CAR lies: the bytes it gives for block ${cid} do not hash to that CID`,
      { cause },
    )
  }
}

async function storeAll(
  add: AddSession,
  spool: Spool,
  { signal, onProgress }: ImportCarOptions,
): Promise<{ newBlocks: number; newBytes: number }> {
  const stored: CarProgress = { phase: 'storing', blocks: 0, bytes: 0 }
  let newBlocks = 0
  let newBytes = 0
  for (const batch of spool.batches()) {
    signal?.throwIfAborted()
    const { written, writtenBytes } = await add.put(batch)
    newBlocks += written
    newBytes += writtenBytes
    add.store.index.put(batch.flatMap(({ cid, bytes }) => indexNodesOf(cid, bytes)))
    stored.blocks += batch.length
    for (const { bytes } of batch) stored.bytes += bytes.length
    onProgress?.(stored)
  }
  return { newBlocks, newBytes }
}

/** One walk tells it for all roots of a whole CAR; else each takes a walk of its own. */
async function wholeOnes({ store }: AddSession, roots: CID[]): Promise<CID[]> {
  const hasAll = async (some: CID | CID[]) => (await missingBlocksInTurns(store, some, 1)).length === 0
  if (await hasAll(roots)) return roots
  const whole: CID[] = []
  for (const root of roots.slice(0, ROOTS_CHECKED)) if (await hasAll(root)) whole.push(root)
  return whole
}

function unique(cids: readonly CID[]): CID[] {
  return [...new Map(cids.map((cid) => [cid.toString(), cid])).values()]
}
