// Blocks of an import and the links to them. Everything that an import makes is
// CIDv1 with sha2-256, raw for leaves and dag-pb for nodes.
// Nothing here writes: a `Making` hands out its blocks, children first, and who
// runs it writes them, so a large tree is never in memory as a whole.

import { hash } from 'node:crypto'
import * as Digest from 'multiformats/hashes/digest'
import { CID, DAG_PB, RAW, SHA2_256 } from '../cid.ts'
import { encodeNode, fileData, type Link, symlinkData } from './encode.ts'

/** A block that is ready to be written; `links` are what it refers to. */
export type ImportBlock = { cid: CID; bytes: Uint8Array; links: readonly Link[] }

/** Yields blocks and returns what they came to. A block's bytes may be reused when the next is asked for. */
export type Making<T> = Generator<ImportBlock, T, void>

/** A DAG without its name in a parent. */
export type Made = Omit<Link, 'name'>

/** A piece of a file: a leaf, or the node over some. `bytes` of the file lie below it. */
export type Part = Made & { bytes: number }

const NO_LINKS: readonly Link[] = []

/** The string form of a CID in a `Link`. */
export function packCid(cid: CID): string {
  return Buffer.from(cid.bytes.buffer, cid.bytes.byteOffset, cid.bytes.byteLength).toString('latin1')
}

/** The CID of a `Link`'s string form. */
export function unpackCid(packed: string): CID {
  const bytes = Buffer.from(packed, 'latin1')
  return bytes.length === OUR_CID_BYTES && bytes[0] === 1 ? ourCid(bytes) : CID.decode(bytes)
}

/** Version, codec, hash function and length take a byte each. */
const OUR_CID_BYTES = 4 + 32

/**
 * A CIDv1 with sha2-256 from its bytes. Not by multiformats' own functions: they
 * make three typed arrays with memory of their own for each CID, which an import
 * of small files spends a tenth of its time on.
 */
function ourCid(bytes: Buffer<ArrayBuffer>): CID {
  const multihash = bytes.subarray(2)
  return new CID(1, bytes[1]!, new Digest.Digest(SHA2_256, 32, multihash.subarray(2), multihash), bytes)
}

/** A leaf: the bytes themselves. */
export function* makeLeaf(bytes: Uint8Array): Making<Part> {
  return { ...(yield* makeBlock(RAW, bytes, NO_LINKS)), bytes: bytes.length }
}

/** A dag-pb node with these links and this UnixFS message. */
export function makeNode(links: readonly Link[], data: Uint8Array): Making<Made> {
  return makeBlock(DAG_PB, encodeNode(links, data), links)
}

export function makeSymlink(target: string): Making<Made> {
  return makeNode(NO_LINKS, symlinkData(target))
}

/** A file of one chunk. Only a node can hold a mode, so an executable one carries its bytes inside. */
export function* makeSmallFile(content: Uint8Array, executable: boolean): Making<Part> {
  if (!executable) return yield* makeLeaf(content)
  return { ...(yield* makeNode(NO_LINKS, fileData(content, [], true))), bytes: content.length }
}

function* makeBlock(codec: number, bytes: Uint8Array, links: readonly Link[]): Making<Made> {
  const packed = String.fromCharCode(1, codec, SHA2_256, 32) + hash('sha256', bytes, 'binary')
  const cid = ourCid(Buffer.from(packed, 'latin1'))
  yield { cid, bytes, links }
  return { cid: packed, size: links.reduce((sum, link) => sum + link.size, bytes.length) }
}
