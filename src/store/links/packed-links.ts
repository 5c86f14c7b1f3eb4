// Links as the index keeps them: CIDs in their binary form, one behind the other,
// each of which says itself how long it is; in front of them a check value over
// the node's CID and all of that. Who follows links to decide what is deleted
// must not believe a row that a bad disk or a stray write has changed, also not
// where it still looks like a list of CIDs (invariant 2).

import { hash } from 'node:crypto'
import { CID, IDENTITY, RAW, SHA2_256 } from '../cid.ts'

/** The packed form of none. */
export const NO_LINKS = Buffer.alloc(0)

/** 64 bits: no damage passes by chance. A cryptographic hash is as fast here as a CRC, for rows are short. */
const CHECK_BYTES = 8

/** In binary: version 1, codec, sha2-256, 32 bytes. Any raw leaf and dag-pb node of ours is one of these. */
const PLAIN_BYTES = 36

export function packLinks(links: readonly Pick<CID, 'bytes'>[]): Buffer {
  return Buffer.concat(links.map((link) => link.bytes))
}

/** The row of a node that has these links, packed; see `openLinks`. */
export function closeLinks(node: Uint8Array, packed: Uint8Array): Buffer {
  return Buffer.concat([check(node, packed), packed])
}

/** The packed links of a row; undefined when it is not what was written for this node. */
export function openLinks(node: Uint8Array, row: unknown): Buffer | undefined {
  // Damage may turn it into text, or a number.
  if (!(row instanceof Buffer)) return undefined
  const packed = row.subarray(CHECK_BYTES)
  return row.length >= CHECK_BYTES && check(node, packed).equals(row.subarray(0, CHECK_BYTES))
    ? packed
    : undefined
}

export function unpackLinks(packed: Uint8Array): CID[] {
  const cids: CID[] = []
  let rest = packed
  while (rest.length > 0) {
    const [cid, remainder] = CID.decodeFirst(rest)
    cids.push(cid)
    rest = remainder
  }
  return cids
}

export type LinkVisitor = {
  /** a CIDv1 with a codec below 128 and a sha2-256 digest, which stands at `at` */
  plain(codec: number, at: number): void
  /** any other */
  other(cid: CID): void
}

/**
 * Goes through packed links without making an object of each. Identity CIDs that are raw are
 * left out: they have neither a block nor links.
 */
export function visitLinks(packed: Uint8Array, { plain, other }: LinkVisitor): void {
  let at = 0
  while (at < packed.length) {
    const codec = packed[at + 1]!
    const isShort = packed[at] === 1 && codec < 0x80 && at + 4 <= packed.length
    if (
      isShort &&
      packed[at + 2] === SHA2_256 &&
      packed[at + 3] === 32 &&
      at + PLAIN_BYTES <= packed.length
    ) {
      plain(codec, at + 4)
      at += PLAIN_BYTES
      continue
    }
    if (isShort && codec === RAW && packed[at + 2] === IDENTITY && packed[at + 3]! < 0x80) {
      at += 4 + packed[at + 3]!
      continue
    }
    const [cid, rest] = CID.decodeFirst(packed.subarray(at))
    other(cid)
    at = packed.length - rest.length
  }
}

/** A plain CID's bytes, for a digest. */
export function plainCid(codec: number, digest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PLAIN_BYTES)
  bytes[0] = 1
  bytes[1] = codec
  bytes[2] = SHA2_256
  bytes[3] = 32
  bytes.set(digest, 4)
  return bytes
}

/** True for a CID of which `plainCid` makes the bytes. */
export function isPlain(cid: CID): boolean {
  const { bytes } = cid.multihash
  return cid.code < 0x80 && bytes.length === 34 && bytes[0] === SHA2_256 && bytes[1] === 32
}

function check(node: Uint8Array, packed: Uint8Array): Buffer {
  const digest = hash('sha256', Buffer.concat([node, packed]), 'buffer')
  return digest.subarray(0, CHECK_BYTES)
}
