// HAMT-sharded directories: find one name, or walk all of them.
// A name's hash says which bucket it must be in at every level, so a name in the
// wrong one, a shard that is met twice and an empty shard are lies; refusing
// them bounds a walk by the number of distinct shards that exist (invariant 7).
// Source: https://specs.ipfs.tech/unixfs/#dag-pb-hamtdirectory

import { murmur364 } from '@multiformats/murmur3'
import type { BlockGetter } from '../blocks/blocks.ts'
import { type BlockKey, blockKey, type CID } from '../cid.ts'
import { badNode, decodeNode, type HamtNode, type ShardLink } from './node.ts'

/** murmur3-x64-64 gives so many bits; they bound the depth of a tree. */
const HASH_BITS = 64

/** The entry with exactly this name. Reads at most one shard a level. Throws BAD_NODE and what `getter` throws. */
export function findInHamt(getter: BlockGetter, root: HamtNode, name: string): CID | undefined {
  const { high, low } = hashOf(Buffer.from(name))
  let shard = root
  for (let used = 0; ; ) {
    const width = Math.log2(shard.fanout)
    if (used + width > HASH_BITS) throw badNode(shard.cid, 'its shards are nested too deep')
    const index = indexOf(shard.slots, bitsAt(high, low, used, width))
    if (index === -1) return undefined
    const link = shard.link(index)
    if (!link.isShard) return link.name === name ? link.hash : undefined
    used += width
    shard = childShard(getter, link.hash, shard)
  }
}

/** A shard on the way down; `slot` is the bucket that the walk is in, `used` the bits of a hash that led to the shard. */
type Level = { shard: HamtNode; at: number; slot: number; width: number; used: number }

/** Every entry, in the order of their hashes, shard by shard: memory holds one path of shards. */
export class HamtWalk {
  readonly #getter: BlockGetter
  readonly #seen: Set<BlockKey>
  readonly #levels: Level[]

  constructor(getter: BlockGetter, root: HamtNode) {
    this.#getter = getter
    this.#seen = new Set([blockKey(root.cid)])
    this.#levels = [levelOf(root, 0)]
  }

  /**
   * The next entry; undefined at the end. Throws BAD_NODE where a shard lies, and what `getter`
   * throws; after that it goes on with the same shard, so it may be called again.
   */
  next(): ShardLink | undefined {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const { shard, at, width } = level
      if (at === shard.slots.length) {
        this.#levels.pop()
        continue
      }
      const used = level.used + width
      if (used > HASH_BITS) throw badNode(shard.cid, 'its shards are nested too deep')
      const link = shard.link(at)
      level.slot = shard.slots[at] as number
      if (link.isShard) {
        const key = blockKey(link.hash)
        if (this.#seen.has(key)) throw badNode(shard.cid, `the shard ${link.hash} is there twice`)
        const below = levelOf(childShard(this.#getter, link.hash, shard), used)
        this.#seen.add(key)
        this.#levels.push(below)
        level.at += 1
      } else {
        level.at += 1
        this.#checkBucket(shard, link)
        return link
      }
    }
    return undefined
  }

  /** The shards that the walk comes to next, in order: those of the innermost one that is read, at most `limit`. */
  ahead(limit: number): CID[] {
    const level = this.#levels.at(-1)
    const cids: CID[] = []
    for (let at = level?.at ?? 0; level && at < level.shard.slots.length && cids.length < limit; at++) {
      const link = level.shard.link(at)
      if (link.isShard) cids.push(link.hash)
    }
    return cids
  }

  #checkBucket(shard: HamtNode, entry: ShardLink): void {
    const { high, low } = hashOf(entry.nameBytes ?? Buffer.from(entry.name ?? ''))
    for (const { slot, used, width } of this.#levels) {
      if (bitsAt(high, low, used, width) === slot) continue
      throw badNode(shard.cid, `${JSON.stringify(entry.name ?? 'a name')} is in the wrong bucket`)
    }
  }
}

function levelOf(shard: HamtNode, used: number): Level {
  return { shard, at: 0, slot: 0, width: Math.log2(shard.fanout), used }
}

function childShard(getter: BlockGetter, cid: CID, { fanout }: HamtNode): HamtNode {
  const node = decodeNode(cid, getter.get(cid))
  if (node.type !== 'hamt') throw badNode(cid, `a ${node.type} stands where a shard belongs`)
  if (node.slots.length === 0) throw badNode(cid, 'an empty shard below another')
  if (node.fanout !== fanout) throw badNode(cid, `a shard of width ${node.fanout} below one of ${fanout}`)
  return node
}

/** The hash in two halves, of which the highest bits choose the bucket of the top shard. */
function hashOf(name: Uint8Array): { high: number; low: number } {
  const digest = murmur364.encode(name) as Uint8Array
  const view = new DataView(digest.buffer, digest.byteOffset, digest.length)
  return { high: view.getUint32(0), low: view.getUint32(4) }
}

/** `width` bits (3 to 10) of a hash, behind the first `used` ones; there are 64. */
function bitsAt(high: number, low: number, used: number, width: number): number {
  const end = used + width
  const mask = (1 << width) - 1
  if (end <= 32) return (high >>> (32 - end)) & mask
  if (used >= 32) return (low >>> (64 - end)) & mask
  return ((high << (end - 32)) | (low >>> (64 - end))) & mask
}

function indexOf(rising: readonly number[], value: number): number {
  let low = 0
  let high = rising.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rising[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return rising[low] === value ? low : -1
}
