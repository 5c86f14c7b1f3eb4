// The balanced tree over a file's leaves: every leaf at the same depth.

import { fileData } from './encode.ts'
import { FILE_WIDTH } from './format.ts'
import { type Making, makeNode, type Part } from './nodes.ts'

/**
 * The root over two or more leaves, in the order of the file. A mode is stored
 * in every node, not only in the root, as ipfs-unixfs-importer does: the CID is
 * the same as its.
 */
export function* makeFileTree(leaves: readonly Part[], executable: boolean): Making<Part> {
  let level = leaves
  do {
    const above: Part[] = []
    for (let from = 0; from < level.length; from += FILE_WIDTH) {
      above.push(yield* makeParent(level.slice(from, from + FILE_WIDTH), executable))
    }
    level = above
  } while (level.length > 1)
  return level[0]!
}

function* makeParent(parts: readonly Part[], executable: boolean): Making<Part> {
  const links = parts.map(({ cid, size }) => ({ name: '', cid, size }))
  const sizes = parts.map(({ bytes }) => bytes)
  const node = yield* makeNode(links, fileData(undefined, sizes, executable))
  return { ...node, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) }
}
