// Lists the block files that the mark has not reached, shard by shard.

import { lstatSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { namesIn } from '../files/directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { readBlockName } from '../store/blocks/block-name.ts'
import { shardNames } from '../store/blocks/shards.ts'
import { blockKey, CID, cidOfBlockName, DAG_CBOR, DAG_JSON, DAG_PB } from '../store/cid.ts'
import { plainCid } from '../store/links/packed-links.ts'
import type { Store } from '../store/store.ts'
import { allocated } from './amount.ts'
import { DeadBlocks } from './dead-blocks.ts'
import type { Marker } from './mark.ts'
import { Flags } from './numbers.ts'
import type { PlanOptions } from './options.ts'

export type Listed = {
  dead: DeadBlocks
  /** block files in all */
  listed: number
  /** those without a root that the grace time keeps */
  young: number
}

/**
 * What is dead. Blocks whose files are younger than `graceMs` are kept, and what
 * they link to as far as the index knows: an add that has no root yet may have found
 * half of its DAG present. What is added meanwhile may be listed or not. What is
 * alive and not there is noted in the marker's `incomplete`.
 */
export async function listDead(
  store: Store,
  marker: Marker,
  { signal, onProgress, graceMs = 0 }: PlanOptions,
): Promise<Listed> {
  const dead = new DeadBlocks()
  const young: Uint8Array[] = []
  const now = Date.now()
  const digest = new Uint8Array(32)
  const there = new Flags()
  let listed = 0
  for (const shard of shardNames()) {
    const directory = `${store.paths.blocks}/${shard}`
    for (const name of namesIn(directory)) {
      // Elsewhere nobody looks for it, neither a reader nor our unlink.
      if (!name.startsWith(shard, name.length - 3)) continue
      const plain = readBlockName(name, digest)
      const cid = plain ? undefined : cidOfBlockName(name)
      if (!plain && cid === undefined) continue
      listed += 1
      const id = plain ? marker.alive.idOf(digest, 0) : undefined
      if (id !== undefined) there.raise(id)
      if (id !== undefined || (cid && marker.alive.has(cid.multihash.bytes))) continue
      const stats = lstatSync(`${directory}/${name}`, { throwIfNoEntry: false })
      if (stats === undefined) continue
      // A time in the future was set by a clock that was wrong: it says nothing.
      const ageMs = now - stats.mtimeMs
      if (plain && ageMs < graceMs && ageMs > -graceMs) young.push(digest.slice())
      const size = { bytes: stats.size, diskBytes: allocated(stats) }
      if (plain) dead.addDigest(digest, size)
      else dead.addOther(blockKey(cid as CID), size)
    }
    onProgress?.({ step: 'list', blocks: listed })
    await nextTurn()
    signal?.throwIfAborted()
  }
  marker.noteLost((id) => there.isUp(id))
  if (young.length === 0) return { dead, listed, young: 0 }
  for (const block of young) keepYoung(store, marker, block)
  await marker.run(signal && { signal })
  const left = dead.without(marker.alive)
  return { dead: left, listed, young: dead.count - left.count }
}

/** About how many block files there are: digests are evenly spread, so a few directories tell. */
export function countBlocks({ blocks }: Pick<PrefixPaths, 'blocks'>): number {
  const shards = shardNames()
  const some = shards.slice(0, 4).map((shard) => namesIn(`${blocks}/${shard}`).length)
  return Math.round((some.reduce((sum, count) => sum + count, 0) / some.length) * shards.length)
}

function keepYoung(store: Store, marker: Marker, digest: Uint8Array): void {
  marker.keepDigest(digest)
  for (const codec of [DAG_PB, DAG_CBOR]) {
    const node = plainCid(codec, digest)
    if (store.index.packedChildren(node)) marker.add(CID.decode(node))
  }
  // Its number takes two bytes.
  const json = CID.createV1(DAG_JSON, CID.decode(plainCid(DAG_PB, digest)).multihash)
  if (store.index.packedChildren(json.bytes)) marker.add(json)
}
