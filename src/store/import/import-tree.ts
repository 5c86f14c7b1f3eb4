// Importing from the disk: what lies at a path becomes a DAG in the store.

import type { AddSession } from '../add/add.ts'
import type { CID } from '../cid.ts'
import { finishBuilder, openBuilder } from './build.ts'
import type { TreeEntry } from './entries.ts'
import { unpackCid } from './nodes.ts'
import type { Figures } from './outbox.ts'
import { ReadQueue } from './read-queue.ts'
import { storedTargets } from './shown-links.ts'
import { TreeWalk, type WalkOptions } from './walk.ts'

export type ImportOptions = Omit<WalkOptions, 'storedTarget'> & {
  signal?: AbortSignal | undefined
  /** Put into the imported directory, in place of what lies there under the same path. */
  extra?: Iterable<TreeEntry> | undefined
}

export type ImportedTree = Figures & {
  cid: CID
  /** bytes of all blocks, as a parent's link states it (dag-pb's Tsize) */
  size: number
  files: number
  directories: number
  symlinks: number
  /** contents of the files */
  bytes: number
}

/**
 * Adds what lies at `path` (a file, a directory, a symlink: not what that points
 * to) in the import format. All or nothing: when it throws, nothing refers to the
 * blocks that were written, and the next collection takes them.
 *
 * Errors name the path: BAD_NAME (not UTF-8), UNSUPPORTED (socket, FIFO, device),
 * PERMISSION, CHANGED (vanished or written meanwhile), IO; and what writing
 * throws: NO_SPACE, READ_ONLY. An aborted signal throws its reason.
 */
export async function importTree(
  add: AddSession,
  path: string,
  { signal, onProgress, filter, extra }: ImportOptions = {},
): Promise<ImportedTree> {
  await add.begin()
  const builder = openBuilder(add)
  const queue = new ReadQueue({ add, outbox: builder.outbox, signal })
  const walk = new TreeWalk(builder, queue, { onProgress, filter, storedTarget: storedTargets(add.store) })
  try {
    const { cid, size } = await walk.importRoot(path, extra ?? [])
    await finishBuilder(builder)
    const { blocks, newBlocks, newBytes } = builder.outbox.takeFigures()
    const root = unpackCid(cid)
    add.built(root)
    return {
      cid: root,
      size,
      ...walk.counts,
      blocks: blocks + queue.figures.blocks,
      newBlocks: newBlocks + queue.figures.newBlocks,
      newBytes: newBytes + queue.figures.newBytes,
    }
  } finally {
    await queue.close()
  }
}
