// Blocks of an import and the links to them. Everything that an import makes is
// CIDv1 with sha2-256, raw for leaves and dag-pb for nodes.
// Nothing here writes: a block goes to the `Emit` it is given, children first.

import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { encodeNode, fileData, type Link, symlinkData } from './encode.ts'

const RAW = 0x55
const DAG_PB = 0x70
const SHA2_256 = 0x12

/** A block that is ready to be written; `links` are what it refers to. */
export type ImportBlock = { cid: CID; bytes: Uint8Array; links: readonly Link[] }

/** Takes a block. Its bytes may be reused by the caller once this returned. */
export type Emit = (block: ImportBlock) => void

/** A DAG without its name in a parent. */
export type Made = Omit<Link, 'name'>

/** A piece of a file: a leaf, or the node over some. `bytes` of the file lie below it. */
export type Part = Made & { bytes: number }

const NO_LINKS: readonly Link[] = []

/** The string form of a CID in a `Link`. */
export function packCid(cid: CID): string {
  return Buffer.from(cid.bytes.buffer, cid.bytes.byteOffset, cid.bytes.byteLength).latin1Slice()
}

/** The CID of a `Link`'s string form. */
export function unpackCid(packed: string): CID {
  return CID.decode(Buffer.from(packed, 'latin1'))
}

function emitBlock(emit: Emit, codec: number, bytes: Uint8Array, links: readonly Link[]): Made {
  const digest = Digest.create(SHA2_256, hash('sha256', bytes, 'buffer'))
  const cid = CID.createV1(codec, digest)
  emit({ cid, bytes, links })
  return { cid: packCid(cid), size: links.reduce((sum, link) => sum + link.size, bytes.length) }
}

/** A leaf: the bytes themselves. */
export function makeLeaf(emit: Emit, bytes: Uint8Array): Part {
  return { ...emitBlock(emit, RAW, bytes, NO_LINKS), bytes: bytes.length }
}

/** A dag-pb node with these links and this UnixFS message. */
export function makeNode(emit: Emit, links: readonly Link[], data: Uint8Array): Made {
  return emitBlock(emit, DAG_PB, encodeNode(links, data), links)
}

export function makeSymlink(emit: Emit, target: string): Made {
  return makeNode(emit, NO_LINKS, symlinkData(target))
}

/** A file of one chunk. Only a node can hold a mode, so an executable one carries its bytes inside. */
export function makeSmallFile(emit: Emit, content: Uint8Array, executable: boolean): Part {
  if (!executable) return makeLeaf(emit, content)
  return { ...makeNode(emit, NO_LINKS, fileData(content, [], true)), bytes: content.length }
}
