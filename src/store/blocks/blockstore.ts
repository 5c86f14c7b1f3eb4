// The same block files as a Blockstore for Helia: blockstore-fs with our layout,
// but verified on reading and written as we write (it never verifies, gives
// every failure as NotFound, and uses one temp name a block).

import { FsBlockstore } from 'blockstore-fs'
import { NotFoundError } from 'interface-store'
import { hasCode } from '../../errors.ts'
import type { BlockWriter } from '../add/writer.ts'
import type { CID } from '../cid.ts'
import type { Store } from '../store.ts'
import type { Blocks } from './blocks.ts'
import { verifyBlock } from './hash.ts'
import { nextToLastTwo } from './shards.ts'

type ByteSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export class VerifiedBlockstore extends FsBlockstore {
  readonly #blocks: Blocks
  readonly #writer: BlockWriter

  /** `writer` protects what is put from the collector for as long as its temp pin lives. */
  constructor({ paths, blocks }: Pick<Store, 'paths' | 'blocks'>, writer: BlockWriter) {
    super(paths.blocks, { shardingStrategy: nextToLastTwo })
    this.#blocks = blocks
    this.#writer = writer
  }

  /** Throws CORRUPT_BLOCK when the bytes are not the CID's. */
  override async put(cid: CID, source: ByteSource): Promise<CID> {
    const bytes = source instanceof Uint8Array ? source : await collect(source)
    verifyBlock(cid, bytes)
    await this.#writer.write([{ cid, bytes }])
    return cid
  }

  /** Throws NotFoundError where Helia shall look elsewhere, our own errors otherwise. */
  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    try {
      yield this.#blocks.get(cid)
    } catch (error) {
      if (hasCode(error, 'MISSING_BLOCK')) throw new NotFoundError(error.message)
      throw error
    }
  }

  override async has(cid: CID): Promise<boolean> {
    return this.#blocks.has(cid)
  }
}

async function collect(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}
