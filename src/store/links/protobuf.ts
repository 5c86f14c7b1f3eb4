// The part of protobuf's wire format that dag-pb and UnixFS need, read strictly:
// every length is checked against the bytes that are there (invariant 7).
// Source: https://protobuf.dev/programming-guides/encoding/

import { PkgError } from '../../errors.ts'

/** Wire types 3 and 4 (groups) are deprecated and never valid here. */
export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

/** A varint holds at most 64 bits, 7 a byte. */
const MAX_VARINT_BYTES = 10
const TWO_32 = 2 ** 32
/** Longer texts are left to the decoder, which has more to set up and is faster then. */
const SHORT_TEXT = 64
// Not in Node's types; its own `toString` calls it.
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string
}
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A place in a message. Functions below move `at` forward; `end` is exclusive. */
export type Cursor = { readonly bytes: Uint8Array; at: number; readonly end: number }

export function cursor(bytes: Uint8Array): Cursor {
  return { bytes, at: 0, end: bytes.length }
}

/** Throws BAD_NODE: the bytes are not what their codec says. */
export function malformed(what: string): never {
  throw new PkgError('BAD_NODE', what)
}

/** The next varint's two 32-bit halves; they are exact where one number would not be. */
function readHalves(from: Cursor): { low: number; high: number } {
  let low = 0
  let high = 0
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    if (from.at >= from.end) malformed('the message ends inside a number')
    const byte = from.bytes[from.at++] as number
    const bits = byte & 0x7f
    if (index < 4) low += bits << (7 * index)
    else if (index === 4) {
      low += (bits & 0x0f) * 2 ** 28
      high = bits >>> 4
    } else high += bits * 2 ** (7 * index - 32)
    if (byte < 0x80) {
      if (high >= TWO_32) malformed('a number has more than 64 bits')
      return { low, high }
    }
  }
  return malformed('a number is longer than ten bytes')
}

/** An unsigned varint; Infinity when it is above 2^53 - 1, which no size of ours can be. */
export function readUint(from: Cursor): number {
  const first = from.bytes[from.at]
  if (first !== undefined && first < 0x80 && from.at < from.end) {
    from.at++
    return first
  }
  const { low, high } = readHalves(from)
  const value = high * TWO_32 + low
  return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY
}

/** An int64 as protobuf writes it (two's complement). */
export function readInt64(from: Cursor): bigint {
  const { low, high } = readHalves(from)
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
}

/** The next field's number and wire type. */
export function readTag(from: Cursor): { field: number; wire: number } {
  const tag = readUint(from)
  if (tag > 0xffffffff) malformed('a field number is too large')
  const field = Math.floor(tag / 8)
  if (field === 0) malformed('a field has number 0')
  return { field, wire: tag % 8 }
}

/** The length of a length-delimited field, all of which is there; the cursor stands where its content begins. */
export function readLength(from: Cursor): number {
  const length = readUint(from)
  if (length > from.end - from.at) malformed('a field is longer than its message')
  return length
}

/** Where a length-delimited field's content lies; the cursor stands behind it afterwards. */
export function readSpan(from: Cursor): Cursor {
  const length = readLength(from)
  const at = from.at
  from.at += length
  return { bytes: from.bytes, at, end: from.at }
}

/** A length-delimited field's content, as a view that shares memory. */
export function readBytes(from: Cursor): Uint8Array {
  const { bytes, at, end } = readSpan(from)
  return bytes.subarray(at, end)
}

export function readFixed32(from: Cursor): number {
  if (from.end - from.at < 4) malformed('the message ends inside a number')
  const { bytes, at } = from
  from.at += 4
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true)
}

/** Steps over a field that we do not know. */
export function skipField(from: Cursor, wire: number): void {
  if (wire === VARINT) readHalves(from)
  else if (wire === BYTES) readSpan(from)
  else if (wire === FIXED32 || wire === FIXED64) {
    from.at += wire === FIXED32 ? 4 : 8
    if (from.at > from.end) malformed('the message ends inside a number')
  } else malformed(`wire type ${wire} does not exist`)
}

/** The exact text, a leading U+FEFF included; undefined when the bytes are not valid UTF-8. */
export function exactText(bytes: Uint8Array): string | undefined {
  if (isAscii(bytes)) return latin1Slice.call(bytes, 0, bytes.length)
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

function isAscii(bytes: Uint8Array): boolean {
  if (bytes.length > SHORT_TEXT) return false
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] as number) > 0x7f) return false
  return true
}
