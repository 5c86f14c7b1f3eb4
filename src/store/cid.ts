// CIDs as the store sees them: it compares multihashes, never CID strings, so
// every spelling and every codec of the same bytes meets in one block file.
// https://github.com/multiformats/cid, https://github.com/multiformats/multibase

import { base16, base16upper } from 'multiformats/bases/base16'
import { base32, base32hex, base32hexupper, base32upper } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc, base58flickr } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import type { MultibaseDecoder } from 'multiformats/bases/interface'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { PkgError } from '../errors.ts'

export { CID }

/** Codecs and hash functions by their number in the multicodec table. */
export const RAW = 0x55
export const DAG_PB = 0x70
export const DAG_CBOR = 0x71
export const DAG_JSON = 0x0129
export const IDENTITY = 0x00
export const SHA2_256 = 0x12

/** More than any CID that names a block of ours takes in any base: 512-bit digests in base16. */
const MAX_CID_TEXT = 512

/**
 * The longest digest, in bytes: what an identity CID may carry (Kubo's verifcid, boxo);
 * hash functions give at most 64. With it a block's name is still a file name.
 */
export const MAX_DIGEST_BYTES = 128

const DECODERS: ReadonlyMap<string, MultibaseDecoder<string>> = new Map(
  [
    base16,
    base16upper,
    base32,
    base32upper,
    base32hex,
    base32hexupper,
    base36,
    base36upper,
    base58btc,
    base58flickr,
    base64,
    base64pad,
    base64url,
    base64urlpad,
  ].map((base) => [base.prefix, base.decoder]),
)

/**
 * Reads a CID in any spelling: v0, or v1 in any base that multiformats calls
 * final and that a path can hold. Throws BAD_CID naming the text.
 */
export function parseCid(text: string): CID {
  const cid = tryParseCid(text)
  if (cid !== undefined) return cid
  throw new PkgError('BAD_CID', `${JSON.stringify(text.slice(0, 120))} is not a CID`, {
    hint: 'A CID looks like bafy…, bafk… or Qm….',
  })
}

/** Like parseCid, but undefined for anything that is no CID. */
export function tryParseCid(text: string): CID | undefined {
  if (text.length < 3 || text.length > MAX_CID_TEXT) return undefined
  try {
    if (text.startsWith('Qm') && text.length === 46) return CID.parse(text)
    const decoder = DECODERS.get(text[0]!)
    return decoder && sound(CID.decode(decoder.decode(text)))
  } catch {
    // multiformats throws plain errors of many kinds for what is not a CID.
    return undefined
  }
}

/** A CID as a link holds it. Throws plain errors, short ones: the caller says where it stood. */
export function decodeCid(bytes: Uint8Array): CID {
  if (bytes[0] === 1 && isShortCid(bytes, 0, bytes.length)) return shortCid(bytes)
  return sound(CID.decode(bytes))
}

/** What CID.decode makes, without its own copy of the bytes: a directory may have a million. */
function shortCid(bytes: Uint8Array): CID {
  const digest = new Digest.Digest(
    bytes[2] as number,
    bytes[3] as number,
    bytes.subarray(4),
    bytes.subarray(2),
  )
  return new CID(1, bytes[1] as number, digest, bytes)
}

/**
 * True when what lies there is a CID whose numbers take a byte each, as those of nearly all CIDs
 * do: then it is its own binary form, and `decodeCid` takes it. False says nothing.
 */
export function isShortCid(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] === 1) {
    const length = bytes[at + 3] as number
    // A longer digest has a longer number too.
    return (
      (bytes[at + 1] as number) < 0x80 &&
      (bytes[at + 2] as number) < 0x80 &&
      length < 0x80 &&
      end - at === 4 + length
    )
  }
  return bytes[at] === SHA2_256 && bytes[at + 1] === 32 && end - at === 34
}

/** The same for a CID with more behind it, which is given too. */
export function decodeFirstCid(bytes: Uint8Array): [CID, Uint8Array] {
  const [cid, rest] = CID.decodeFirst(bytes)
  return [sound(cid), rest]
}

/** A CID that a decoder of dag-cbor or dag-json made; undefined for any other value. Throws as `decodeCid`. */
export function asLink(value: unknown): CID | undefined {
  // Not CID.asCID: that takes a map for a CID when its members are called "/" and "bytes".
  return value instanceof CID ? sound(value) : undefined
}

/**
 * Longer digests name no block that could be here, and would fill every message and
 * file name. The library takes a version byte of 0, and then any hash as one of version 0.
 */
function sound(cid: CID): CID {
  const { code, digest } = cid.multihash
  if (digest.length > MAX_DIGEST_BYTES) throw new Error(`a CID with a digest of ${digest.length} bytes`)
  if (cid.version === 0 && !(code === SHA2_256 && digest.length === 32))
    throw new Error('no CID of version 0')
  return cid
}

/** What the store looks blocks up by: the multihash, as a string that is cheap in a Map or Set. */
export type BlockKey = string & { readonly __blockKey?: never }

export function blockKey(cid: CID): BlockKey {
  return keyOfMultihash(cid.multihash.bytes)
}

/** The same for a node: by codec too, for the same bytes are a leaf as raw, and a directory as dag-pb. */
export function nodeKey(cid: CID): string {
  return `${cid.code} ${blockKey(cid)}`
}

export function keyOfMultihash(multihash: Uint8Array): BlockKey {
  return Buffer.from(multihash.buffer, multihash.byteOffset, multihash.byteLength).toString('latin1')
}

export function multihashOfKey(key: BlockKey): Uint8Array {
  return Buffer.from(key, 'latin1')
}

/** A raw CID for a block of which only the multihash is known: its content is right, its codec a guess. */
export function rawCidOfKey(key: BlockKey): CID {
  return CID.createV1(RAW, Digest.decode(multihashOfKey(key)))
}

/** The file name of a block: the raw CIDv1 of its multihash in base32, whatever codec it was added with. */
export function blockName(cid: CID): string {
  const multihash = cid.multihash.bytes
  const bytes = new Uint8Array(2 + multihash.length)
  bytes[0] = 1
  bytes[1] = RAW
  bytes.set(multihash, 2)
  return base32.encode(bytes)
}

/** The raw CID that a block's file name stands for; undefined for a name that we never give. */
export function cidOfBlockName(name: string): CID | undefined {
  const cid = name.startsWith('b') ? tryParseCid(name) : undefined
  return cid?.version === 1 && cid.code === RAW ? cid : undefined
}

/** True when both name the same bytes. */
export function sameBlock(a: CID, b: CID): boolean {
  return Buffer.compare(a.multihash.bytes, b.multihash.bytes) === 0
}
