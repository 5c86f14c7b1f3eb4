// Where lost blocks may still be, and how each kind of place is asked for them.
// A source is only read, and every block of it is verified.

import { createReadStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode, isErrno, PkgError } from '../../errors.ts'
import { prefixPaths } from '../../paths.ts'
import type { Block } from '../add/writer.ts'
import { readBlockFile } from '../blocks/block-file.ts'
import { verifyBlock } from '../blocks/hash.ts'
import { blockFile } from '../blocks/shards.ts'
import { parseCar } from '../car/parse.ts'
import type { CID } from '../cid.ts'
import { IndexRows } from '../import/index-rows.ts'
import { Outbox } from '../import/outbox.ts'
import { ReadQueue } from '../import/read-queue.ts'
import { storedTargets } from '../import/shown-links.ts'
import { TreeWalk } from '../import/walk.ts'
import type { Store } from '../store.ts'

export type SourceKind = 'car' | 'directory' | 'prefix'

/** Blocks that are looked for. */
export interface WantedBlocks {
  readonly store: Store
  readonly size: number
  has(cid: CID): boolean
  /** also those that come to be wanted meanwhile */
  cids(): Iterable<CID>
  /** Takes of these blocks those that are wanted; the caller has verified them. */
  take(blocks: readonly Block[]): Promise<void>
}

export type Take = (path: string, wanted: WantedBlocks, signal: AbortSignal | undefined) => Promise<void>

/** Offers all that the source at this path has of what is wanted. */
export const TAKE: Record<SourceKind, Take> = {
  async car(path, wanted, signal) {
    const { blocks } = await parseCar(createReadStream(path))
    for await (const block of blocks) {
      signal?.throwIfAborted()
      if (!wanted.has(block.cid)) continue
      verifyBlock(block.cid, block.bytes)
      await wanted.take([block])
      if (wanted.size === 0) return
    }
  },

  /** The chunks and nodes that an import of the directory makes; its threads would write them all. */
  async directory(path, wanted, signal) {
    const writer = {
      async write(batch: readonly Block[]) {
        await wanted.take(batch)
        return { written: 0, present: 0, writtenBytes: 0 }
      },
    }
    const outbox = new Outbox({ writer })
    const queue = new ReadQueue({ outbox, signal })
    try {
      await new TreeWalk({ outbox, rows: new IndexRows(wanted.store) }, queue, {
        storedTarget: storedTargets(wanted.store),
      }).importRoot(path, [])
      await outbox.flush()
    } finally {
      await queue.close()
    }
  },

  async prefix(path, wanted, signal) {
    const { blocks } = prefixPaths(path)
    for (const cid of wanted.cids()) {
      signal?.throwIfAborted()
      const bytes = readVerified(blockFile(blocks, cid), cid)
      if (bytes !== undefined) await wanted.take([{ cid, bytes }])
    }
  },
}

/** Undefined where there is none, or one that is damaged: another source may have it. */
function readVerified(file: string, cid: CID): Uint8Array | undefined {
  try {
    const bytes = readBlockFile(file)
    verifyBlock(cid, bytes)
    return bytes
  } catch (error) {
    if (hasCode(error, 'CORRUPT_BLOCK') || isErrno(error, 'ENOENT', 'ENOTDIR', 'EIO', 'EACCES'))
      return undefined
    throw error
  }
}

/** Throws NOT_FOUND where nothing is. */
export function kindOf(path: string): SourceKind {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw new PkgError('NOT_FOUND', `there is nothing at ${path} to heal from`)
  if (!stats.isDirectory()) return 'car'
  return existsSync(join(path, 'blocks')) && existsSync(join(path, 'pins')) ? 'prefix' : 'directory'
}
