// A directory made of described entries, in the import format.

import type { AddSession } from '../add/add.ts'
import type { CID } from '../cid.ts'
import { buildEntries, finishBuilder, openBuilder } from './build.ts'
import { arrangeEntries, type TreeEntry } from './entries.ts'
import { unpackCid } from './nodes.ts'
import { Outbox } from './outbox.ts'

export type { TreeEntry } from './entries.ts'

/**
 * Writes the directory that holds these entries; their order does not matter.
 * `size` is that of all its blocks, the grafted ones' included (dag-pb's Tsize).
 * DAGs that are grafted by CID are neither read nor protected: `protect` them
 * first. No worker threads: meant for thousands of entries, not for a disk.
 * Throws as `arrangeEntries` and BlockWriter.write do, before or after part of
 * the blocks were written; nothing refers to those then.
 */
export async function buildTree(
  add: AddSession,
  entries: Iterable<TreeEntry>,
): Promise<{ cid: CID; size: number }> {
  const tree = arrangeEntries(entries)
  await add.begin()
  const builder = openBuilder(add)
  const { cid, size } = await buildEntries(builder, tree)
  await finishBuilder(builder)
  return { cid: unpackCid(cid), size }
}

/** The CID that `buildTree` gives for these entries; writes nothing. Throws as `arrangeEntries` does. */
export async function treeCid(entries: Iterable<TreeEntry>): Promise<CID> {
  const outbox = new Outbox({ writer: NOWHERE })
  const { cid } = await buildEntries({ outbox }, arrangeEntries(entries))
  await outbox.flush()
  return unpackCid(cid)
}

const NOWHERE = { write: async () => ({ written: 0, present: 0, writtenBytes: 0 }) }
