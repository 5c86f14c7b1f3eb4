// What differs between two roots of a registry. Descends only where CIDs differ:
// two roots that are one publication apart cost a few nodes, however large they are.

import type { PkgError } from '../errors.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { CID } from '../store/cid.ts'
import { list } from '../store/unixfs/directory.ts'
import { packageOfFile } from './layout.ts'
import { isDamage, packagesOf } from './tree.ts'

/** A package whose record differs; `before` and `after` are the records' CIDs. */
export type RecordDifference = { name: string; before?: CID; after?: CID }

export type DiffOptions = {
  /** Called for a shard that cannot be read (see DAMAGE in tree.ts), which is passed over; without it, it throws. */
  onDamage?: ((error: PkgError) => void) | undefined
}

type Change = { name: string; before: CID | undefined; after: CID | undefined }

/**
 * The packages whose records differ; all of `after` when `before` is undefined.
 * Throws MISSING_BLOCK when a node of either root is not here.
 */
export function* diffRoots(
  getter: BlockGetter,
  before: CID | undefined,
  after: CID,
  { onDamage }: DiffOptions = {},
): Generator<RecordDifference> {
  if (before?.equals(after)) return
  const shards = diffDirectories(getter, before && packagesOf(getter, before), packagesOf(getter, after))
  for (const shard of shards) {
    try {
      for (const record of diffDirectories(getter, shard.before, shard.after)) {
        const name = packageOfFile(record.name)
        if (name !== undefined) yield { ...record, name } as RecordDifference
      }
    } catch (error) {
      if (!onDamage || !isDamage(error)) throw error
      onDamage(error)
    }
  }
}

function* diffDirectories(
  getter: BlockGetter,
  before: CID | undefined,
  after: CID | undefined,
): Generator<Change> {
  if (before && after && before.equals(after)) return
  const old = new Map<string, CID>()
  if (before) for (const { name, cid } of list(getter, before)) old.set(name, cid)
  if (after) {
    for (const { name, cid } of list(getter, after)) {
      const there = old.get(name)
      old.delete(name)
      if (!there?.equals(cid)) yield { name, before: there, after: cid }
    }
  }
  for (const [name, cid] of old) yield { name, before: cid, after: undefined }
}
