// How large a tree would be as real files, before any is made: a DAG of a few
// blocks can stand for 2^50 files, so each distinct directory is counted once and
// multiplied (invariant 7).

import { hasCode } from '../../errors.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import { type CID, nodeKey } from '../cid.ts'
import { Listing } from './directory.ts'
import { ListingStack } from './listing-stack.ts'
import { type StatOptions, stat } from './stat.ts'

/** Exact up to 2^53, about right above, Infinity at worst. */
export type TreeSize = { entries: number; bytes: number }

export type MeasureOptions = StatOptions & {
  /** directories that count as one entry, by `nodeKey`: links stand for them */
  asLinks?: ReadonlySet<string> | undefined
}

/** A directory that is being counted. */
type Counting = { key: string; size: TreeSize }

/**
 * Files, directories and symlinks of a tree, the root included, and the bytes of
 * its files. What is not UnixFS counts as an entry of 0 bytes.
 * Throws BAD_NODE and what `getter` throws.
 */
export function measureTree(getter: BlockGetter, root: CID, options: MeasureOptions = {}): TreeSize {
  const known = new Map<string, TreeSize>()
  const total: TreeSize = { entries: 0, bytes: 0 }
  const stack = new ListingStack<Counting>()
  // Adds an entry to `size`, or opens it as a frame that adds itself when it is done.
  const enter = (cid: CID, size: TreeSize) => {
    const key = nodeKey(cid)
    const measured = known.get(key) ?? sizeOf(getter, cid, options)
    if (measured !== undefined) addTo(size, measured)
    else stack.push(new Listing(getter, cid), { key, size: { entries: 1, bytes: 0 } })
  }
  enter(root, total)
  for (let counting = stack.top; counting !== undefined; counting = stack.top) {
    const entry = stack.next()
    if (entry !== undefined) {
      enter(entry.cid, counting.size)
      continue
    }
    stack.pop()
    known.set(counting.key, counting.size)
    addTo(stack.top?.size ?? total, counting.size)
  }
  return total
}

/** undefined for a directory: its entries have to be counted. */
function sizeOf(getter: BlockGetter, cid: CID, options: MeasureOptions): TreeSize | undefined {
  if (options.asLinks?.has(nodeKey(cid))) return { entries: 1, bytes: 0 }
  try {
    const { type, size } = stat(getter, cid, options)
    return type === 'directory' ? undefined : { entries: 1, bytes: type === 'file' ? size : 0 }
  } catch (error) {
    if (hasCode(error, 'NOT_UNIXFS')) return { entries: 1, bytes: 0 }
    throw error
  }
}

function addTo(sum: TreeSize, { entries, bytes }: TreeSize): void {
  sum.entries += entries
  sum.bytes += bytes
}
