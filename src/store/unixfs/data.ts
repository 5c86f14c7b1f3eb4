// Decodes the UnixFS `Data` message, which a dag-pb node carries in its data field.
// Only the wire format is checked here; node.ts checks it against the node's links.
// Source: https://specs.ipfs.tech/unixfs/#data

import {
  BYTES,
  type Cursor,
  cursor,
  FIXED32,
  malformed,
  readBytes,
  readFixed32,
  readInt64,
  readSpan,
  readTag,
  readUint,
  skipField,
  VARINT,
} from '../links/protobuf.ts'
import { type Mtime, mtimeOf } from './times.ts'

/** The values of `Data.Type`. */
export const TYPE = { raw: 0, directory: 1, file: 2, metadata: 3, symlink: 4, hamt: 5 } as const

/** Nanoseconds in a second; UnixFS allows 1 to one less, and leaves 0 out. */
const NANOSECONDS = 1_000_000_000

/** Sizes are Infinity where they are above 2^53 - 1. */
export type UnixfsData = {
  type: number
  data?: Uint8Array
  filesize?: number
  blocksizes: number[]
  hashType?: number
  fanout?: number
  mode?: number
  mtime?: Mtime
}

/** Throws BAD_NODE. Fields we do not know are ignored, as the specification asks. */
export function decodeData(bytes: Uint8Array): UnixfsData {
  const from = cursor(bytes)
  const message: UnixfsData = { type: -1, blocksizes: [] }
  let seen = 0
  while (from.at < from.end) {
    const { field, wire } = readTag(from)
    // Two values for one field would mean two things to two readers.
    if (field <= 8 && field !== 4 && (seen >> field) & 1) malformed(`UnixFS field ${field} is there twice`)
    if (field <= 8) seen |= 1 << field
    if (field > 8) skipField(from, wire)
    else if (field === 4) readBlocksizes(from, wire, message.blocksizes)
    else if (field === 2 && wire === BYTES) message.data = readBytes(from)
    else if (field === 8 && wire === BYTES) message.mtime = readMtime(readSpan(from))
    else if (wire === VARINT && field !== 2 && field !== 8) setNumber(message, field, readUint(from))
    else malformed(`UnixFS field ${field} has wire type ${wire}`)
  }
  if (message.type === -1) malformed('there is no UnixFS type')
  return message
}

function setNumber(message: UnixfsData, field: number, value: number): void {
  if (field === 1) message.type = value
  else if (field === 3) message.filesize = value
  else if (field === 5) message.hashType = value
  else if (field === 6) message.fanout = value
  else message.mode = value
}

/** A repeated number may come one a field, or packed: many in one field. */
function readBlocksizes(from: Cursor, wire: number, sizes: number[]): void {
  if (wire === VARINT) sizes.push(readUint(from))
  else if (wire === BYTES) {
    const packed = readSpan(from)
    while (packed.at < packed.end) sizes.push(readUint(packed))
  } else malformed(`UnixFS field 4 has wire type ${wire}`)
}

function readMtime(from: Cursor): Mtime {
  let seconds: bigint | undefined
  let nanoseconds: number | undefined
  while (from.at < from.end) {
    const { field, wire } = readTag(from)
    if (field === 1 && wire === VARINT) seconds = readInt64(from)
    else if (field === 2 && wire === FIXED32) nanoseconds = readFixed32(from)
    else if (field > 2) skipField(from, wire)
    else malformed(`field ${field} of a modification time has wire type ${wire}`)
  }
  if (seconds === undefined) return malformed('a modification time has no seconds')
  if (nanoseconds === 0 || (nanoseconds ?? 0) >= NANOSECONDS) {
    malformed('a modification time has nanoseconds that are none of 1 to 999,999,999')
  }
  return mtimeOf(seconds, nanoseconds ?? 0)
}
