// Whether bytes are what a CID says: the check that invariant 1 stands on.

import { createHash, hash } from 'node:crypto'
import { blake2b, blake2s } from '@noble/hashes/blake2.js'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { PkgError } from '../../errors.ts'
import { CID, IDENTITY, MAX_DIGEST_BYTES, SHA2_256 } from '../cid.ts'

/** Hash functions of node:crypto by multicodec number. Weak ones (md5, sha1) are left out: they prove nothing. */
const NODE_HASHES: ReadonlyMap<number, string> = new Map([
  [SHA2_256, 'sha256'],
  [0x13, 'sha512'],
  [0x20, 'sha384'],
  [0x14, 'sha3-512'],
  [0x15, 'sha3-384'],
  [0x16, 'sha3-256'],
])

/** blake2b-8 … blake2b-512 and blake2s-8 … blake2s-256: the number says how many bytes the digest has. */
const BLAKE2B_BASE = 0xb200
const BLAKE2S_BASE = 0xb240
/** Digests shorter than this prove too little (Kubo's verifcid: 20 bytes). */
const MIN_DIGEST_BYTES = 20

/** sha2-256 of these bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** The raw CIDv1 of these bytes. */
export function rawCid(bytes: Uint8Array): CID {
  return CID.createV1(raw.code, Digest.create(SHA2_256, sha256(bytes)))
}

/**
 * Returns when `bytes` hash to `cid`. Throws CORRUPT_BLOCK when they do not,
 * UNSUPPORTED when the CID's hash function is unknown or too weak to tell.
 */
export function verifyBlock(cid: CID, bytes: Uint8Array): void {
  const { code, digest } = cid.multihash
  const actual = digestOf(cid, code, digest.length, bytes)
  if (digest.length >= MIN_DIGEST_BYTES || code === IDENTITY) {
    if (Buffer.compare(actual, digest) === 0) return
    throw new PkgError('CORRUPT_BLOCK', `the bytes of block ${cid} do not hash to its CID`, {
      hint: 'Run `pkg store verify`, and add the content again from where it came.',
    })
  }
  throw unsupported(cid, `its digest of ${digest.length} bytes is too short to prove anything`)
}

function digestOf(cid: CID, code: number, length: number, bytes: Uint8Array): Uint8Array {
  const name = NODE_HASHES.get(code)
  if (name === 'sha256') return sha256(bytes)
  if (name !== undefined) return createHash(name).update(bytes).digest()
  // Compared with what the CID carries, once that is known to be short enough.
  if (code === IDENTITY) return identityBytes(cid) && bytes
  if (code > BLAKE2B_BASE && code <= BLAKE2S_BASE) return blake2b(bytes, { dkLen: code - BLAKE2B_BASE })
  if (code > BLAKE2S_BASE && code <= BLAKE2S_BASE + 32) return blake2s(bytes, { dkLen: code - BLAKE2S_BASE })
  throw unsupported(cid, `hash function 0x${code.toString(16)} with ${length} bytes is not known here`)
}

/** True for a CID that carries its block in itself. */
export function isIdentity(cid: CID): boolean {
  return cid.multihash.code === IDENTITY
}

/** The block of an identity CID. Throws UNSUPPORTED for more than 128 bytes. */
export function identityBytes(cid: CID): Uint8Array {
  const bytes = cid.multihash.digest
  if (bytes.length <= MAX_DIGEST_BYTES) return bytes
  throw unsupported(cid, `an identity CID may carry ${MAX_DIGEST_BYTES} bytes, not ${bytes.length}`)
}

function unsupported(cid: CID, why: string): PkgError {
  return new PkgError('UNSUPPORTED', `block ${cid} cannot be verified: ${why}`)
}
