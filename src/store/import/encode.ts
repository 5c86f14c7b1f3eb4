// Bytes of the nodes that an import makes: UnixFS messages inside dag-pb.
// Field order is that of ipfs-unixfs and @ipld/dag-pb (links first), because it
// decides the CID. Written by hand: those build several objects a link, which
// costs more than hashing and writing a small file.

import { EXECUTABLE_MODE, SHARD_HASH, SHARD_WIDTH } from './format.ts'

/** A finished DAG as its parent links to it. */
export type Link = {
  /** '' for a part of a file */
  name: string
  /** the bytes of the CID, one character (U+0000 to U+00FF) a byte: a fifth of a CID object's memory */
  cid: string
  /** bytes of all blocks below, counted once a link (dag-pb's Tsize) */
  size: number
}

/** UnixFS DataType: https://specs.ipfs.tech/unixfs/#data */
const DIRECTORY = 1
const FILE = 2
const SYMLINK = 4
const SHARD = 5

const DIRECTORY_DATA = Uint8Array.of(0x08, DIRECTORY)

/** How many bytes dag-pb adds to a node's block for this link. */
export function linkLength(link: Link): number {
  const inner = linkContentLength(link)
  return 1 + varintLength(inner) + inner
}

function linkContentLength({ name, cid, size }: Link): number {
  const nameBytes = Buffer.byteLength(name)
  return 3 + varintLength(cid.length) + cid.length + varintLength(nameBytes) + nameBytes + varintLength(size)
}

/** The length of a plain directory's block whose links take `linkBytes` in all (see `linkLength`). */
export function directoryLength(linkBytes: number): number {
  return linkBytes + 2 + DIRECTORY_DATA.length
}

/** dag-pb with these links, in this order, and this data. */
export function encodeNode(links: readonly Link[], data: Uint8Array): Buffer {
  let length = 1 + varintLength(data.length) + data.length
  for (const link of links) length += linkLength(link)
  const out = Buffer.allocUnsafe(length)
  let at = 0
  for (const link of links) {
    out[at++] = 0x12
    at = putVarint(out, at, linkContentLength(link))
    out[at++] = 0x0a
    at = putVarint(out, at, link.cid.length)
    at += out.write(link.cid, at, 'latin1')
    out[at++] = 0x12
    at = putVarint(out, at, Buffer.byteLength(link.name))
    at += out.write(link.name, at, 'utf8')
    out[at++] = 0x18
    at = putVarint(out, at, link.size)
  }
  out[at++] = 0x0a
  at = putVarint(out, at, data.length)
  out.set(data, at)
  return out
}

/** A plain directory's UnixFS message: everything else about it is in its links. */
export function directoryData(): Uint8Array {
  return DIRECTORY_DATA
}

/** A file's UnixFS message: its own bytes, and the bytes of the file that lie below each link. */
export function fileData(
  content: Uint8Array | undefined,
  parts: readonly number[],
  executable: boolean,
): Buffer {
  const fields: Field[] = [[0x08, FILE]]
  if (content !== undefined && content.length > 0) fields.push([0x12, content])
  fields.push([0x18, parts.reduce((sum, part) => sum + part, content?.length ?? 0)])
  for (const part of parts) fields.push([0x20, part])
  if (executable) fields.push([0x38, EXECUTABLE_MODE])
  return message(fields)
}

export function symlinkData(target: string): Buffer {
  return message([
    [0x08, SYMLINK],
    [0x12, Buffer.from(target)],
  ])
}

/** A HAMT node's UnixFS message; `bitfield` is big-endian without leading zero bytes. */
export function shardData(bitfield: Uint8Array): Buffer {
  return message([
    [0x08, SHARD],
    [0x12, bitfield],
    [0x28, SHARD_HASH],
    [0x30, SHARD_WIDTH],
  ])
}

/** A field's tag (number and wire type in one byte) and value. */
type Field = readonly [tag: number, value: number | Uint8Array]

function message(fields: readonly Field[]): Buffer {
  let length = 0
  for (const [, value] of fields) {
    length +=
      typeof value === 'number' ? 1 + varintLength(value) : 1 + varintLength(value.length) + value.length
  }
  const out = Buffer.allocUnsafe(length)
  let at = 0
  for (const [tag, value] of fields) {
    out[at++] = tag
    if (typeof value === 'number') {
      at = putVarint(out, at, value)
      continue
    }
    at = putVarint(out, at, value.length)
    out.set(value, at)
    at += value.length
  }
  return out
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}

/** Writes up to 2^53 - 1; gives the place behind it. */
function putVarint(out: Buffer, at: number, value: number): number {
  let rest = value
  while (rest >= 0x80) {
    out[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  out[at] = rest
  return at + 1
}
