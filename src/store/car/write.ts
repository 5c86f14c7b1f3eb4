// Exporting a DAG as a CAR of version 1: depth first, as trustless gateways send
// it (https://specs.ipfs.tech/http-gateways/trustless-gateway/, order=dfs, dups=n),
// so that whoever reads it can check each block when it comes.

import { encode as encodeCbor } from '@ipld/dag-cbor'
import type { Block } from '../add/writer.ts'
import type { CID } from '../cid.ts'
import { closure, requireCompleteInTurns } from '../links/closure.ts'
import type { Store } from '../store.ts'

/** Small blocks go out together: a write of so many bytes costs little more than one of a few. */
const CHUNK_BYTES = 256 * 1024

/**
 * The CAR's bytes. Throws INCOMPLETE before the first of them when a block is
 * missing; MISSING_BLOCK or CORRUPT_BLOCK when that shows only on the way.
 */
export async function* exportCar(
  store: Store,
  root: CID,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  await requireCompleteInTurns(store, root)
  yield* writeCar([root], blocksOf(store, root), { signal })
}

function* blocksOf(store: Store, root: CID): Generator<Block> {
  for (const cid of closure(store, [root])) yield { cid, bytes: store.blocks.get(cid) }
}

/** The bytes of a CAR of version 1 that holds just these blocks, in their order; there may be none. */
export async function* writeCar(
  roots: readonly CID[],
  blocks: Iterable<Block>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const header = encodeCbor({ version: 1, roots: [...roots] })
  let pieces: Uint8Array[] = [varint(header.length), header]
  let length = header.length
  for (const { cid, bytes } of blocks) {
    pieces.push(varint(cid.bytes.length + bytes.length), cid.bytes, bytes)
    length += bytes.length
    if (length < CHUNK_BYTES) continue
    signal?.throwIfAborted()
    yield Buffer.concat(pieces)
    pieces = []
    length = 0
  }
  if (pieces.length > 0) yield Buffer.concat(pieces)
}

/** An unsigned LEB128 number (multiformats/unsigned-varint). */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
