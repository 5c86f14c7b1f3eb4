// What checkouts take as real files, in bytes, from their DAGs alone: each tree counts in
// full, also what it shares with another one by hard links, which is on the safe side.

import { PkgError } from '../../errors.ts'
import type { Planned } from '../../store/checkout/check-out.ts'
import { checkoutName } from '../../store/checkout/names.ts'
import { siblingsOf } from '../../store/checkout/siblings.ts'
import { type CID, nodeKey } from '../../store/cid.ts'
import type { Store } from '../../store/store.ts'
import { measureTree, type TreeSize } from '../../store/unixfs/measure.ts'

/** What an entry takes beside its bytes: an inode and a directory's block, in bytes. */
const ENTRY_BYTES = 4096

/** Bytes that count for these entries. */
export function filesOnDisk({ entries, bytes }: TreeSize): number {
  return bytes + entries * ENTRY_BYTES
}

/** One checkout; packages beside it are links. Throws BAD_NODE and what reading blocks throws. */
export function checkoutSize({ blocks }: Pick<Store, 'blocks'>, { cid, siblings }: Planned): TreeSize {
  const asLinks = new Set(Array.from(siblings.values(), nodeKey))
  return measureTree(blocks, cid, { blockSize: (leaf) => blocks.size(leaf), asLinks })
}

/** The checkouts among these that are there, together. What cannot be measured counts with nothing: it cannot have been made either. */
export function sizeOfCheckouts(store: Pick<Store, 'blocks'>, cids: Iterable<CID>): number {
  const seen = new Set<string>()
  let sum = 0
  for (const cid of cids) {
    if (seen.has(checkoutName(cid))) continue
    seen.add(checkoutName(cid))
    try {
      sum += filesOnDisk(checkoutSize(store, { cid, siblings: siblingsOf(store.blocks, cid) }))
    } catch (error) {
      if (!(error instanceof PkgError)) throw error
    }
  }
  return sum
}
