// The link index made anew from the block files, which are the truth.

import { CID, DAG_CBOR, DAG_JSON, DAG_PB } from '../cid.ts'
import type { IndexNode } from '../links/index-db.ts'
import { indexNodesOf } from '../links/links.ts'
import type { Store } from '../store.ts'
import { type ReadAllOptions, readAll } from './read-all.ts'

/** Blocks whose rows go into the index in one transaction, and bytes of their links. */
const INDEX_BATCH = 4096
const INDEX_BATCH_BYTES = 8 * 1024 * 1024

/**
 * Rebuilds the index from the block files: links under every codec
 * that the bytes are valid for (the file does not say which it is; a row for
 * another codec is true as well). Corrupt blocks are left out. Notes of
 * completeness are lost, and come back with the next walk that needs them.
 */
export async function reindex(
  store: Store,
  options: ReadAllOptions = {},
): Promise<{ blocks: number; nodes: number; bytes: number }> {
  store.index.clear()
  const result = { blocks: 0, nodes: 0, bytes: 0 }
  let nodes: IndexNode[] = []
  let links = 0
  const write = () => {
    store.index.put(nodes)
    result.nodes += nodes.length
    nodes = []
    links = 0
  }
  for await (const { block, bytes, error } of readAll(store, options)) {
    if (bytes === undefined || error !== undefined) continue
    result.blocks += 1
    result.bytes += bytes.length
    for (const node of nodesOf(block.cid, bytes)) {
      nodes.push(node)
      links += node.packed.length
    }
    if (nodes.length >= INDEX_BATCH || links >= INDEX_BATCH_BYTES) write()
  }
  write()
  return result
}

function nodesOf({ multihash }: CID, bytes: Uint8Array): IndexNode[] {
  return guessCodecs(bytes[0]).flatMap((codec) => indexNodesOf(CID.createV1(codec, multihash), bytes))
}

/** The codecs with links whose encoding can begin with this byte. */
function guessCodecs(first: number | undefined): number[] {
  if (first === undefined) return []
  // dag-pb: field 1 or 2. dag-json: an object or list. dag-cbor: a list, a map or a CID's tag.
  if (first === 0x0a || first === 0x12) return [DAG_PB]
  if (first === 0x7b || first === 0x5b) return [DAG_JSON]
  return (first >= 0x80 && first <= 0xbf) || first === 0xd8 ? [DAG_CBOR] : []
}
