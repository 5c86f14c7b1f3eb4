// Decodes dag-pb nodes, with the exact names they hold: the usual decoder strips
// a leading U+FEFF and replaces what is not UTF-8, so two names could look alike.
// Strict about lengths and types, indifferent to the order of fields, because
// Kubo accepts both orders and the hash settles what the bytes are (invariant 7).
// Source: https://ipld.io/specs/codecs/dag-pb/spec/

import { hasCode, PkgError } from '../../errors.ts'
import { type CID, decodeCid, isShortCid } from '../cid.ts'
import {
  BYTES,
  type Cursor,
  cursor,
  exactText,
  malformed,
  readBytes,
  readLength,
  readTag,
  readUint,
  VARINT,
} from './protobuf.ts'

export type DagPbLink = {
  /** undefined when the name is not valid UTF-8; '' when there is none */
  name: string | undefined
  /** the name's bytes, only when `name` is undefined */
  nameBytes?: Uint8Array
  hash: CID
  /** what the writer claims lies below, in bytes; never trusted; undefined above 2^53 - 1 or absent */
  tsize: number | undefined
}

export type DagPbNode = { data?: Uint8Array; links: DagPbLink[] }

/** Where links lie in a node's bytes: the beginning and the end (exclusive) of each, by turns. */
export type LinkPlaces = readonly number[]

/** A node whose links are only located: `decodeLink` reads those that matter. */
export type ScannedNode = { data?: Uint8Array; bytes: Uint8Array; places: LinkPlaces }

/** Where a link's name and hash lie; a name that is absent begins and ends at 0. */
export type LinkParts = { hashAt: number; hashEnd: number; nameAt: number; nameEnd: number }

/**
 * The node that `bytes` hold; `data` and `nameBytes` share memory with them.
 * Throws BAD_NODE, naming `cid` where it is given.
 */
export function decodeDagPb(bytes: Uint8Array, cid?: CID): DagPbNode {
  try {
    const { data, places } = scanDagPb(bytes)
    const links = Array.from({ length: countLinks(places) }, (_, index) => linkAt(bytes, places, index))
    return data === undefined ? { links } : { data, links }
  } catch (error) {
    if (cid === undefined || !hasCode(error, 'BAD_NODE')) throw error
    throw new PkgError('BAD_NODE', `${cid} is not valid dag-pb: ${error.message}`, { cause: error })
  }
}

/** Many times faster than decoding: for a shard of which one link is wanted. Throws BAD_NODE. */
export function scanDagPb(bytes: Uint8Array): ScannedNode {
  const from = cursor(bytes)
  const places: number[] = []
  const node: ScannedNode = { bytes, places }
  while (from.at < from.end) {
    const { field, wire } = readTag(from)
    if (wire !== BYTES || field > 2) malformed(`field ${field} of type ${wire} in a node`)
    if (field === 2) {
      const length = readLength(from)
      places.push(from.at, from.at + length)
      from.at += length
    } else if (node.data === undefined) node.data = readBytes(from)
    else malformed('a node has two data fields')
  }
  return node
}

export function countLinks(places: LinkPlaces): number {
  return places.length / 2
}

/** See `decodeLink`. Throws BAD_NODE. */
export function linkAt(bytes: Uint8Array, places: LinkPlaces, index: number, prefix?: string): DagPbLink {
  return decodeLink({ bytes, at: places[2 * index] as number, end: places[2 * index + 1] as number }, prefix)
}

/** `prefix`: ASCII that the name has to begin with, and that is left out. Throws BAD_NODE. */
export function decodeLink(span: Readonly<Cursor>, prefix = ''): DagPbLink {
  const from = { ...span }
  const { bytes } = from
  const parts = newLinkParts()
  let tsize = readLinkParts(from, parts)
  const hash = decodeHash(bytes.subarray(parts.hashAt, parts.hashEnd))
  if (tsize === Number.POSITIVE_INFINITY) tsize = undefined
  for (let at = 0; at < prefix.length; at++) {
    if (parts.nameAt + at < parts.nameEnd && bytes[parts.nameAt + at] === prefix.charCodeAt(at)) continue
    malformed(`a link's name does not begin with ${prefix}`)
  }
  const name = bytes.subarray(parts.nameAt + prefix.length, parts.nameEnd)
  const text = exactText(name)
  return text === undefined ? { name: text, nameBytes: name, hash, tsize } : { name: text, hash, tsize }
}

/** For `readLinkParts` to fill, any number of times. */
export function newLinkParts(): LinkParts {
  return { hashAt: 0, hashEnd: 0, nameAt: 0, nameEnd: 0 }
}

/**
 * Finds the parts of the link that lies from `from.at` to `from.end`; gives its Tsize, Infinity
 * when it is above 2^53 - 1. What the hash holds is not looked at. Throws BAD_NODE.
 */
export function readLinkParts(from: Cursor, parts: LinkParts): number | undefined {
  let hasHash = false
  let hasName = false
  let tsize: number | undefined
  parts.nameAt = parts.nameEnd = 0
  while (from.at < from.end) {
    const { field, wire } = readTag(from)
    if (field === 1 && wire === BYTES && !hasHash) {
      const length = readLength(from)
      hasHash = true
      parts.hashAt = from.at
      parts.hashEnd = from.at += length
    } else if (field === 2 && wire === BYTES && !hasName) {
      const length = readLength(from)
      hasName = true
      parts.nameAt = from.at
      parts.nameEnd = from.at += length
    } else if (field === 3 && wire === VARINT && tsize === undefined) tsize = readUint(from)
    else malformed(`field ${field} of type ${wire} in a link is unknown or there twice`)
  }
  if (!hasHash) malformed('a link has no hash')
  return tsize
}

/**
 * The CIDs of a node's links, packed (packed-links.ts), without an object for each: a block of
 * 2 MiB may have 190,000 of them. Throws BAD_NODE for all that `decodeDagPb` throws it for.
 */
export function packDagPbLinks(bytes: Uint8Array): Buffer {
  const { places } = scanDagPb(bytes)
  const parts = newLinkParts()
  const from = { bytes, at: 0, end: 0 }
  // What a CID takes packed it takes at least as a link.
  const packed = Buffer.allocUnsafeSlow(bytes.length)
  let length = 0
  for (let index = 0; index < places.length; index += 2) {
    from.at = places[index] as number
    from.end = places[index + 1] as number
    readLinkParts(from, parts)
    const { hashAt, hashEnd } = parts
    if (isShortCid(bytes, hashAt, hashEnd)) {
      for (let at = hashAt; at < hashEnd; at++) packed[length++] = bytes[at] as number
    } else {
      const cid = decodeHash(bytes.subarray(hashAt, hashEnd)).bytes
      packed.set(cid, length)
      length += cid.length
    }
  }
  return Buffer.from(packed.subarray(0, length))
}

/** Throws BAD_NODE when a link does not hold a CID. */
export function checkHash(bytes: Uint8Array, { hashAt, hashEnd }: LinkParts): void {
  if (!isShortCid(bytes, hashAt, hashEnd)) decodeHash(bytes.subarray(hashAt, hashEnd))
}

function decodeHash(bytes: Uint8Array): CID {
  try {
    return decodeCid(bytes)
  } catch (cause) {
    throw new PkgError('BAD_NODE', 'a link does not hold a CID', { cause })
  }
}
