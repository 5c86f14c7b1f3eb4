// The file name of a block by its sha2-256 digest and back, without a CID object
// in between: who goes through a million files has no time for those. Says the
// same as `blockName` and `cidOfBlockName` (store/cid.ts) for that hash; other hashes
// are theirs alone.

/** Base32 of what every such name begins with: version 1, raw, sha2-256, 32 bytes. */
const HEAD = 'bafkrei'
const LENGTH = 59
const DIGEST_BYTES = 32

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const VALUES = new Int8Array(128).fill(-1)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value

/**
 * Reads the digest of a block's file name into `into`, which has 32 bytes; false for
 * a name that is no block's, or one of another hash.
 */
export function readBlockName(name: string, into: Uint8Array): boolean {
  if (name.length !== LENGTH || !name.startsWith(HEAD)) return false
  // Of the first character's five bits the upper two belong to the head, which ends in zeros.
  let held = VALUES[name.charCodeAt(HEAD.length)] ?? -1
  if (held < 0 || held > 7) return false
  let bits = 3
  let count = 0
  for (let at = HEAD.length + 1; at < LENGTH; at++) {
    const value = VALUES[name.charCodeAt(at)] ?? -1
    if (value < 0) return false
    held = (held << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    into[count++] = held >>> bits
    held &= (1 << bits) - 1
  }
  // The last two bits are spare: no two names stand for the same block.
  return count === DIGEST_BYTES && held === 0
}

/** The file name of the block with this sha2-256 digest. */
export function blockNameOf(digest: Uint8Array): string {
  let name = HEAD
  let held = 0
  let bits = 2
  for (let at = 0; at < DIGEST_BYTES; at++) {
    held = (held << 8) | digest[at]!
    bits += 8
    while (bits >= 5) {
      bits -= 5
      name += ALPHABET[held >>> bits]
      held &= (1 << bits) - 1
    }
  }
  return name + ALPHABET[held << (5 - bits)]
}
