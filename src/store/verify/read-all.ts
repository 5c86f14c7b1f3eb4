// Every block file, read and held against its name: what verify and reindex go through.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { isErrno, PkgError } from '../../errors.ts'
import { blockFileSize, MAX_BLOCK_BYTES, readBlockFile } from '../blocks/block-file.ts'
import type { ListedBlock } from '../blocks/blocks.ts'
import { verifyBlock } from '../blocks/hash.ts'
import type { Store } from '../store.ts'

/** Bytes of blocks between two looks at timers and signals: some 20 ms of hashing. */
const BREATH_BYTES = 32 * 1024 * 1024

export type ReadProgress = { blocks: number; bytes: number }

export type ReadAllOptions = { signal?: AbortSignal; onProgress?: (progress: ReadProgress) => void }

export type ReadBlock = { block: ListedBlock; bytes?: Uint8Array; error?: Error }

/** Every block file with its bytes, verified, or with what is wrong; one that goes meanwhile is passed over. */
export async function* readAll(
  store: Store,
  { signal, onProgress }: ReadAllOptions,
): AsyncGenerator<ReadBlock> {
  const progress = { blocks: 0, bytes: 0 }
  let breath = 0
  for (const block of store.blocks.list()) {
    signal?.throwIfAborted()
    const read = readOne(block)
    if (read === undefined) continue
    yield read
    progress.blocks += 1
    progress.bytes += read.bytes?.length ?? 0
    onProgress?.(progress)
    if (progress.bytes - breath < BREATH_BYTES) continue
    breath = progress.bytes
    await nextTurn()
  }
}

function readOne(block: ListedBlock): ReadBlock | undefined {
  try {
    const size = blockFileSize(block.file)
    if (size !== undefined && size > MAX_BLOCK_BYTES) {
      throw new PkgError(
        'CORRUPT_BLOCK',
        `its file has ${size} bytes; a block has at most ${MAX_BLOCK_BYTES}`,
      )
    }
    const bytes = readBlockFile(block.file)
    verifyBlock(block.cid, bytes)
    return { block, bytes }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    const expected = error instanceof PkgError || isErrno(error, 'EACCES', 'EPERM', 'EIO')
    if (!expected) throw error
    return { block, error }
  }
}
