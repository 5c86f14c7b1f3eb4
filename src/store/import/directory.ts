// A directory's node or nodes: one block while it is small enough, else a HAMT.
// The result depends only on the entries, never on the order they came in.

import { murmur364 } from '@multiformats/murmur3'
import { PkgError } from '../../errors.ts'
import { directoryLength, encodeDirectory, type Link, linkLength, shardData } from './encode.ts'
import { SHARD_THRESHOLD_BYTES, SHARD_WIDTH } from './format.ts'
import { type Emit, type Made, makeNode } from './nodes.ts'

/** A name's hash has 8 bytes and each level takes one; other importers give up there too. */
const MAX_DEPTH = 8

/**
 * Makes the directory with these entries, whose names are distinct.
 * Throws UNSUPPORTED, naming one, when two names have the same 64-bit hash.
 */
export function makeDirectory(emit: Emit, entries: readonly Link[]): Made {
  let linkBytes = 0
  for (const entry of entries) linkBytes += linkLength(entry)
  if (directoryLength(linkBytes) > SHARD_THRESHOLD_BYTES) return makeShards(emit, entries)
  return makePlain(emit, entries)
}
