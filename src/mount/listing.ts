// Listing a sharded directory without blocking the main thread: all shards of a
// level are read at once, and the walk lets others in between.

import { setImmediate } from 'node:timers/promises'
import type { BlockGetter } from '../store/blocks.ts'
import { type BlockKey, blockKey, type CID } from '../store/cid.ts'
import { decodeNode, type HamtNode } from '../store/unixfs/node.ts'
import { type BlockCache, NotLoaded } from './block-cache.ts'

/** Entries walked before other requests get their turn: some 10 ms. */
const SLICE = 2000

/**
 * Reads all shards below `top`, level by level, and gives a getter that holds
 * them. What they say is not checked here beyond being shards: the walk does it.
 * A shard that is there twice is read once, so this ends.
 */
export async function loadShards(cache: BlockCache, top: HamtNode): Promise<BlockGetter> {
  const held = new Map<BlockKey, Uint8Array>()
  for (let level = [top]; level.length > 0; ) {
    const below = new Map<BlockKey, CID>()
    for (const shard of level) {
      for (const index of shard.slots.keys()) {
        const { isShard, hash } = shard.link(index)
        if (isShard && !held.has(blockKey(hash))) below.set(blockKey(hash), hash)
      }
    }
    cache.ahead([...below.values()])
    level = []
    for (const [key, cid] of below) {
      const bytes = await cache.load(cid)
      held.set(key, bytes)
      const node = decodeNode(cid, bytes)
      if (node.type === 'hamt') level.push(node)
    }
  }
  return {
    get(cid) {
      const bytes = held.get(blockKey(cid))
      if (bytes === undefined) throw new NotLoaded(cid)
      return bytes
    },
  }
}

/** All that `source` gives, a slice at a time. */
export async function slices<T>(source: Iterable<T>): Promise<T[]> {
  const all: T[] = []
  for (const item of source) {
    all.push(item)
    if (all.length % SLICE === 0) await setImmediate()
  }
  return all
}
