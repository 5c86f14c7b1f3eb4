// Forgets the links of nodes that are gone. They would stay right for ever, so this
// only saves room, in the index of a prefix from which much was deleted. Few rows to
// a transaction, and pauses between them: adders write to the index too.

import { setTimeout as delay } from 'node:timers/promises'
import { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import type { Marker } from './mark.ts'

/** Some ms of looking, and at most as much of writing. */
const ROWS = 512
const PAUSE_MS = 2

/**
 * Deletes the rows of nodes that are neither alive nor here. May be interrupted
 * anywhere: the next collection does the rest.
 */
export async function forgetNodes(
  store: Store,
  marker: Marker,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  let after: Uint8Array = new Uint8Array()
  for (;;) {
    signal?.throwIfAborted()
    const nodes = store.index.nodesAfter(after, ROWS)
    const last = nodes.at(-1)
    if (last === undefined) return
    after = last
    const gone = nodes.filter((node) => isGone(store, marker, node))
    if (gone.length > 0) store.index.deleteNodes(gone)
    await delay(gone.length > 0 ? PAUSE_MS : 0)
  }
}

function isGone(store: Store, marker: Marker, node: Uint8Array): boolean {
  let cid: CID
  try {
    cid = CID.decode(node)
  } catch {
    // A damaged row: nobody will ever ask for it.
    return true
  }
  return !marker.alive.has(cid.multihash.bytes) && !store.blocks.has(cid)
}
