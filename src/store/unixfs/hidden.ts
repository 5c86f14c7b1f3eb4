// What a tree has and nobody can see who uses it as files: entries whose name no path can hold or that
// is not UTF-8 (fuse-native hands names over as text), and nodes that are refused, a file beyond
// 2^53 - 1 bytes among them. The mount leaves the first out of its listings, and fails where the second are used.

import { PkgError } from '../../errors.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import { type CID, nodeKey, RAW } from '../cid.ts'
import { list } from './directory.ts'
import { decodeNode, type UnixfsNode } from './node.ts'

export type Hidden = { path: string; why: string }

/** Codes of nodes that are there and cannot be shown. Blocks that are missing or damaged are another matter. */
const REFUSED = ['BAD_NODE', 'NOT_UNIXFS', 'TOO_WIDE']

/**
 * Those of the tree below `root`, each distinct directory once; paths are relative to it, names that are
 * no text quoted. Looks at no more than `most` nodes; `isWhole` says whether that was all of them.
 */
export function hiddenEntries(
  getter: BlockGetter,
  root: CID,
  most: number,
): { hidden: Hidden[]; isWhole: boolean } {
  const hidden: Hidden[] = []
  const seen = new Set<string>()
  const todo = [{ cid: root, path: '' }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { cid, path } = next
    if (cid.code === RAW || seen.has(nodeKey(cid))) continue
    if (seen.size === most) return { hidden, isWhole: false }
    seen.add(nodeKey(cid))
    const below = (name: string) => (path === '' ? name : `${path}/${name}`)
    try {
      const node: UnixfsNode = decodeNode(cid, getter.get(cid))
      if (node.type !== 'directory' && node.type !== 'hamt') continue
      const onUnusable = ({ name, why }: { name: string; why: string }) =>
        hidden.push({ path: below(name), why: `its name ${why}` })
      for (const entry of list(getter, node, { onUnusable }))
        todo.push({ cid: entry.cid, path: below(entry.name) })
    } catch (error) {
      if (!(error instanceof PkgError)) throw error
      if (REFUSED.includes(error.code)) hidden.push({ path, why: error.message })
    }
  }
  return { hidden, isWhole: true }
}
