// One block as a UnixFS node, checked as far as one block can be: sizes add up,
// links and sizes match, a shard's bitfield fits its links. Whoever walks on
// checks children against what is promised here (invariant 7).
// Source: https://specs.ipfs.tech/unixfs/

import { hasCode, PkgError } from '../../errors.ts'
import { type CID, DAG_PB, RAW } from '../cid.ts'
import {
  countLinks,
  type DagPbLink,
  decodeLink,
  type LinkPlaces,
  linkAt,
  newLinkParts,
  readLinkParts,
  type ScannedNode,
  scanDagPb,
} from '../links/dag-pb.ts'
import { type Cursor, exactText, malformed } from '../links/protobuf.ts'
import { decodeData, TYPE, type UnixfsData } from './data.ts'
import { DirectoryEntries } from './entries.ts'
import type { Mtime } from './times.ts'

/** murmur3-x64-64, the only hash function that HAMT directories use (multicodec table). */
const MURMUR3_X64_64 = 0x22
/** Bounds of a shard's width: at least one byte of bitfield; Kubo and Boxo refuse more than 1024. */
const MIN_FANOUT = 8
const MAX_FANOUT = 1024
/** The longest target a Linux symlink can have, in bytes (PATH_MAX less its NUL, limits.h). */
export const MAX_TARGET = 4095

type Attributes = { cid: CID; mode?: number; mtime?: Mtime }

/** A part of a file: bytes `start` (inclusive) to `end` (exclusive) of it lie below `cid`. */
export type FilePart = { cid: CID; start: number; end: number }

/**
 * `inline` are the node's own bytes, the first of the file; parts follow without a gap.
 * Parts are decoded when they are asked for: a block can name 190,000 of them.
 */
export type FileNode = Attributes & {
  type: 'file'
  size: number
  inline: Uint8Array
  /** how many parts there are */
  parts: number
  /** bytes of memory that the parts take */
  weight: number
  /** The part that holds the byte at `offset`, which must not be below `inline.length`; one of 0 bytes never does. Throws BAD_NODE. */
  partAt(offset: number): FilePart
  /** The parts of 0 bytes, in order: no offset leads to them. */
  emptyParts(): Iterable<CID>
}

export type DirectoryNode = Attributes & { type: 'directory'; entries: DirectoryEntries }

/**
 * A shard has one link for each bucket in use: `slots` are their numbers, rising.
 * Links are decoded when they are asked for: a look-up needs one of hundreds.
 */
export type HamtNode = Attributes & {
  type: 'hamt'
  fanout: number
  slots: number[]
  /** Throws BAD_NODE when the link is not named for its bucket. */
  link(index: number): ShardLink
}

/** `name` is the entry's own, without the bucket's digits; `isShard` says that more of the directory lies below. */
export type ShardLink = DagPbLink & { isShard: boolean }

export type SymlinkNode = Attributes & { type: 'symlink'; target: string }

export type UnixfsNode = FileNode | DirectoryNode | HamtNode | SymlinkNode

const NOTHING = new Uint8Array(0)

/**
 * What the block says. Byte arrays share memory with `bytes`.
 * Throws NOT_UNIXFS for other codecs and for metadata nodes, BAD_NODE for what
 * contradicts itself; both name `cid`.
 */
export function decodeNode(cid: CID, bytes: Uint8Array): UnixfsNode {
  if (cid.code === RAW) return leafNode(cid, bytes)
  if (cid.code !== DAG_PB) throw notUnixfs(cid, `its codec is 0x${cid.code.toString(16)}`)
  return naming(cid, () => {
    const node = scanDagPb(bytes)
    if (node.data === undefined) throw notUnixfs(cid, 'the node has no data')
    return check(cid, node, decodeData(node.data))
  })
}

function leafNode(cid: CID, bytes: Uint8Array): FileNode {
  return {
    type: 'file',
    cid,
    size: bytes.length,
    inline: bytes,
    parts: 0,
    weight: 0,
    partAt: noPart,
    emptyParts: () => [],
  }
}

function noPart(offset: number): never {
  throw new RangeError(`a leaf has no part at ${offset}`)
}

function naming<T>(cid: CID, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (!hasCode(error, 'BAD_NODE')) throw error
    throw badNode(cid, error.message, error)
  }
}

/** BAD_NODE with the node's name, for whoever finds that a node lies about its children. */
export function badNode(cid: CID, what: string, cause?: unknown): PkgError {
  return new PkgError('BAD_NODE', `${cid} is not a valid UnixFS node: ${what}`, { cause })
}

export function notUnixfs(cid: CID, why: string): PkgError {
  return new PkgError('NOT_UNIXFS', `${cid} is not a file or directory: ${why}`)
}

function check(cid: CID, node: ScannedNode, data: UnixfsData): UnixfsNode {
  const attributes: Attributes = { cid }
  if (data.mode !== undefined) attributes.mode = data.mode
  if (data.mtime !== undefined) attributes.mtime = data.mtime
  switch (data.type) {
    case TYPE.raw:
    case TYPE.file:
      return checkFile(attributes, node, data)
    case TYPE.directory:
      return { ...attributes, type: 'directory', entries: new DirectoryEntries(node) }
    case TYPE.symlink:
      return checkSymlink(attributes, node, data)
    case TYPE.hamt:
      return checkHamt(attributes, node, data)
    case TYPE.metadata:
      throw notUnixfs(cid, 'it is a metadata node')
    default:
      return malformed(`type ${data.type} does not exist`)
  }
}

function checkFile(attributes: Attributes, { bytes, places }: ScannedNode, data: UnixfsData): FileNode {
  const inline = data.data ?? NOTHING
  if (data.blocksizes.length !== countLinks(places)) {
    malformed(`${countLinks(places)} links, but ${data.blocksizes.length} block sizes`)
  }
  let at = inline.length
  const ends = Float64Array.from(data.blocksizes, (size) => {
    at += size
    return at
  })
  if (!Number.isSafeInteger(at)) malformed('its block sizes add up to more than 2^53 - 1')
  // One that is absent is 0.
  const { filesize = 0 } = data
  if (filesize !== at) malformed(`its file size is ${filesize}, but its parts hold ${at} bytes`)
  if (ends.length === 0) return { ...leafNode(attributes.cid, inline), ...attributes }
  // A copy: the block's own memory may be let go before the node is.
  const packed = packSpans(bytes, places)
  const partAt = (offset: number): FilePart => {
    const index = firstAbove(ends, offset)
    const cid = naming(attributes.cid, () => decodeLink(packed.span(index)).hash)
    return {
      cid,
      start: index === 0 ? inline.length : (ends[index - 1] as number),
      end: ends[index] as number,
    }
  }
  const weight = packed.weight + ends.byteLength + inline.length
  const emptyParts = function* () {
    for (let index = 0; index < ends.length; index++) {
      const start = index === 0 ? inline.length : (ends[index - 1] as number)
      if (ends[index] !== start) continue
      yield naming(attributes.cid, () => decodeLink(packed.span(index)).hash)
    }
  }
  return { ...attributes, type: 'file', size: at, inline, parts: ends.length, weight, partAt, emptyParts }
}

/** Links of a file in memory of their own, without an object for each. Throws BAD_NODE for one that has a name. */
function packSpans(from: Uint8Array, places: LinkPlaces): { span(index: number): Cursor; weight: number } {
  const ends = new Uint32Array(countLinks(places))
  let length = 0
  for (let index = 0; index < ends.length; index++) {
    length += (places[2 * index + 1] as number) - (places[2 * index] as number)
    ends[index] = length
  }
  const bytes = new Uint8Array(length)
  const parts = newLinkParts()
  for (let index = 0; index < ends.length; index++) {
    const [at, end] = [places[2 * index] as number, places[2 * index + 1] as number]
    readLinkParts({ bytes: from, at, end }, parts)
    if (parts.nameEnd > parts.nameAt) malformed('a part of the file has a name')
    bytes.set(from.subarray(at, end), (ends[index] as number) - (end - at))
  }
  const span = (index: number) => ({
    bytes,
    at: index === 0 ? 0 : (ends[index - 1] as number),
    end: ends[index] as number,
  })
  return { span, weight: bytes.length + ends.byteLength }
}

/** The place of the first that is larger than `value`, or the last. */
function firstAbove(rising: Float64Array, value: number): number {
  let low = 0
  let high = rising.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rising[middle] as number) > value) high = middle
    else low = middle + 1
  }
  return low
}

function checkSymlink(
  attributes: Attributes,
  { places }: ScannedNode,
  { data = NOTHING }: UnixfsData,
): SymlinkNode {
  if (places.length > 0) malformed('a symlink has links')
  const target = exactText(data)
  if (target === undefined) malformed('the target of the symlink is not UTF-8')
  if (target === '' || target.includes('\0') || data.length > MAX_TARGET) {
    malformed(`the target of the symlink is empty, holds a NUL or is longer than ${MAX_TARGET} bytes`)
  }
  return { ...attributes, type: 'symlink', target }
}

function checkHamt(attributes: Attributes, { bytes, places }: ScannedNode, data: UnixfsData): HamtNode {
  const { hashType, fanout = 0, data: bitfield = NOTHING } = data
  if (hashType !== MURMUR3_X64_64) malformed(`a shard with hash function ${hashType}`)
  // A power of two in these bounds is a multiple of 8 as well.
  if (fanout < MIN_FANOUT || fanout > MAX_FANOUT || !Number.isInteger(Math.log2(fanout))) {
    malformed(`a shard of width ${fanout}`)
  }
  const slots = bitsOf(bitfield)
  if (slots.length !== countLinks(places))
    malformed(`a shard with ${countLinks(places)} links and ${slots.length} bits`)
  if (slots.length > 0 && (slots.at(-1) as number) >= fanout)
    malformed(`a bit beyond the shard's width ${fanout}`)
  // A link's name begins with its bucket's number; where nothing follows, it leads to a shard.
  const width = (fanout - 1).toString(16).length
  const link = (index: number): ShardLink => {
    const slot = slots[index]
    if (slot === undefined) throw new RangeError('a shard has no such link')
    const digits = slot.toString(16).toUpperCase().padStart(width, '0')
    const { name, nameBytes, hash, tsize } = naming(attributes.cid, () =>
      linkAt(bytes, places, index, digits),
    )
    if (name === undefined) return { name, nameBytes: nameBytes ?? NOTHING, hash, tsize, isShard: false }
    return { name, hash, tsize, isShard: name === '' }
  }
  return { ...attributes, type: 'hamt', fanout, slots, link }
}

/** The numbers of the bits that are set, rising. The last byte holds bits 0 to 7. */
function bitsOf(bitfield: Uint8Array): number[] {
  if (bitfield.length > MAX_FANOUT / 8) malformed('the bitfield of a shard is too long')
  const bits: number[] = []
  for (let byte = bitfield.length - 1; byte >= 0; byte--) {
    for (let bit = 0; bit < 8; bit++) {
      if (((bitfield[byte] as number) >> bit) & 1) bits.push((bitfield.length - 1 - byte) * 8 + bit)
    }
  }
  return bits
}
