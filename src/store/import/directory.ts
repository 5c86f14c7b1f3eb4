// A directory's node or nodes: one block while it is small enough, else a HAMT.
// The result depends on the entries alone, never on the order they came in.

import { murmur364 } from '@multiformats/murmur3'
import { PkgError } from '../../errors.ts'
import { directoryData, directoryLength, type Link, linkLength, shardData } from './encode.ts'
import { SHARD_THRESHOLD_BYTES, SHARD_WIDTH } from './format.ts'
import { type Made, type Making, makeNode } from './nodes.ts'

/** A name's hash has 8 bytes and each level takes one. Kubo refuses deeper trees too. */
const HASH_BYTES = 8

/**
 * Makes the directory that holds these entries; their names are distinct.
 * Throws UNSUPPORTED, naming one, when two names have the same 64-bit hash.
 */
export function makeDirectory(entries: readonly Link[]): Making<Made> {
  let linkBytes = 0
  for (const entry of entries) linkBytes += linkLength(entry)
  if (directoryLength(linkBytes) <= SHARD_THRESHOLD_BYTES)
    return makeNode(sortByName(entries), directoryData())
  return makeShard({ entries, hashes: hashNames(entries) }, [...entries.keys()], 0)
}

/** dag-pb wants links in the order of their names' bytes; JavaScript's own order differs above U+FFFF. */
function sortByName(entries: readonly Link[]): Link[] {
  return entries
    .map((link) => ({ link, name: Buffer.from(link.name) }))
    .sort((a, b) => Buffer.compare(a.name, b.name))
    .map(({ link }) => link)
}

/** The hashes of all names, side by side: 8 bytes each, an entry's own are found by its index. */
function hashNames(entries: readonly Link[]): Buffer {
  const hashes = Buffer.allocUnsafeSlow(entries.length * HASH_BYTES)
  entries.forEach(({ name }, index) => {
    hashes.set(murmur364.encode(Buffer.from(name)) as Uint8Array, index * HASH_BYTES)
  })
  return hashes
}

type Tree = { entries: readonly Link[]; hashes: Buffer }

/** The HAMT node over these entries (by index), whose hashes agree in their first `depth` bytes. */
function* makeShard(tree: Tree, indices: number[], depth: number): Making<Made> {
  const slotOf = (index: number) => tree.hashes[index * HASH_BYTES + depth]!
  // Sorted and cut into runs: a table of 256 slots a node would be mostly empty, and there are many nodes.
  indices.sort((a, b) => slotOf(a) - slotOf(b))
  const links: Link[] = []
  const bits = new Uint8Array(SHARD_WIDTH / 8)
  for (let from = 0, to = 0; from < indices.length; from = to) {
    const slot = slotOf(indices[from]!)
    while (to < indices.length && slotOf(indices[to]!) === slot) to += 1
    links.push(yield* makeSlot(tree, indices.slice(from, to), { slot, depth }))
    bits[bits.length - 1 - (slot >> 3)]! |= 1 << (slot & 7)
  }
  // The bits are one big-endian number, without leading zero bytes.
  return yield* makeNode(links, shardData(bits.subarray(bits.findIndex((byte) => byte !== 0))))
}

/** A slot holds one entry, or a further node when several names share it. */
function* makeSlot(tree: Tree, sharing: number[], at: { slot: number; depth: number }): Making<Link> {
  const prefix = at.slot.toString(16).toUpperCase().padStart(2, '0')
  const first = tree.entries[sharing[0]!]!
  if (sharing.length === 1) return { ...first, name: prefix + first.name }
  if (at.depth + 1 < HASH_BYTES) return { name: prefix, ...(yield* makeShard(tree, sharing, at.depth + 1)) }
  throw new PkgError(
    'UNSUPPORTED',
    `two names in one directory have the same hash: ${JSON.stringify(first.name)}`,
    { hint: 'Rename one of them.' },
  )
}
