// HAMT-sharded directories: find one name, or walk all of them.
// A name's hash says which bucket it must be in at every level, so a name in the
// wrong one, a shard that is met twice and an empty shard are lies; refusing
// them bounds a walk by the number of distinct shards that exist (invariant 7).
// Source: https://specs.ipfs.tech/unixfs/#dag-pb-hamtdirectory

import { murmur364 } from '@multiformats/murmur3'
import type { BlockGetter } from '../blocks.ts'
import { blockKey, type CID } from '../cid.ts'
import { badNode, decodeNode, type HamtNode, type ShardLink } from './node.ts'

/** murmur3-x64-64 gives so many bits; they bound the depth of a tree. */
const HASH_BITS = 64

/** The entry with exactly this name. Reads at most one shard a level. Throws BAD_NODE and what `getter` throws. */
export function findInHamt(getter: BlockGetter, root: HamtNode, name: string): CID | undefined {
  const hash = hashOf(Buffer.from(name))
  let shard = root
  for (let used = 0; ; ) {
    const width = Math.log2(shard.fanout)
    const index = indexOf(shard.slots, takeBits(shard, hash, used, width))
    if (index === -1) return undefined
    const link = shard.link(index)
    if (!link.isShard) return link.name === name ? link.hash : undefined
    used += width
    shard = childShard(getter, link.hash)
  }
}

/**
 * Every entry, in the order of their hashes, shard by shard: memory holds one
 * path of shards. Throws BAD_NODE where a shard lies.
 */
export function* walkHamt(getter: BlockGetter, root: HamtNode): Generator<ShardLink> {
  const seen = new Set([blockKey(root.cid)])
  // The bits of the buckets on the way down, as text: comparing them is comparing prefixes.
  const stack = [{ shard: root, at: 0, bits: '' }]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { shard } = top
    if (top.at === shard.slots.length) {
      stack.pop()
      continue
    }
    const link = shard.link(top.at)
    const width = Math.log2(shard.fanout)
    const bits = top.bits + (shard.slots[top.at] as number).toString(2).padStart(width, '0')
    top.at++
    if (bits.length > HASH_BITS) throw badNode(shard.cid, 'its shards are nested too deep')
    if (link.isShard) {
      if (seen.has(blockKey(link.hash))) throw badNode(shard.cid, `the shard ${link.hash} is there twice`)
      seen.add(blockKey(link.hash))
      stack.push({ shard: childShard(getter, link.hash), at: 0, bits })
    } else {
      checkBucket(shard, link, bits)
      yield link
    }
  }
}

function childShard(getter: BlockGetter, cid: CID): HamtNode {
  const node = decodeNode(cid, getter.get(cid))
  if (node.type !== 'hamt') throw badNode(cid, `a ${node.type} stands where a shard belongs`)
  if (node.slots.length === 0) throw badNode(cid, 'an empty shard below another')
  return node
}

function checkBucket(shard: HamtNode, entry: ShardLink, bits: string): void {
  const hash = hashOf(entry.nameBytes ?? Buffer.from(entry.name ?? ''))
  if (hash.toString(2).padStart(HASH_BITS, '0').startsWith(bits)) return
  throw badNode(shard.cid, `${JSON.stringify(entry.name ?? 'a name')} is in the wrong bucket`)
}

function takeBits(shard: HamtNode, hash: bigint, used: number, width: number): number {
  const rest = HASH_BITS - used - width
  if (rest < 0) throw badNode(shard.cid, 'its shards are nested too deep')
  return Number((hash >> BigInt(rest)) & BigInt(shard.fanout - 1))
}

/** The hash as one number, of which the highest bits choose the bucket of the top shard. */
function hashOf(name: Uint8Array): bigint {
  const digest = murmur364.encode(name) as Uint8Array
  return Buffer.from(digest.buffer, digest.byteOffset, digest.length).readBigUInt64BE(0)
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
