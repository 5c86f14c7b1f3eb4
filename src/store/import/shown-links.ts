// Importing from the store itself, as its mount or a checkout shows it: a link that is
// shown absolute (../shown-target.ts) is taken as its DAG has it, so that what is added
// from there keeps its CID.

import { hasCode } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import { tryParseCid } from '../cid.ts'
import { physicalStore } from '../shown-target.ts'
import { resolvePath } from '../unixfs/resolve.ts'

/** Gives the target to store of the symlink at a physical path, from the one that was read there. */
export type StoredTarget = (path: string, target: string) => string

export function storedTargets({
  paths,
  blocks,
}: {
  paths: Pick<PrefixPaths, 'root'>
  blocks: BlockGetter
}): StoredTarget {
  const store = `${physicalStore(paths)}/`
  return (path, target) => {
    if (!path.startsWith(store) || !target.startsWith(store)) return target
    const [name = '', ...below] = path.slice(store.length).split('/')
    const root = tryParseCid(name)
    if (root === undefined) return target
    try {
      const { node } = resolvePath(blocks, root, below.join('/'))
      if (node.type === 'symlink') return node.target
      // In a checkout: it stands for a package beside it.
      return '../'.repeat(below.length) + target.slice(store.length)
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND', 'NOT_DIRECTORY', 'NOT_UNIXFS')) return target
      throw error
    }
  }
}
