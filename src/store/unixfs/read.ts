// Reading files at any offset: the mount's hot path.
// A reader keeps the decoded inner nodes near its place and the block that it
// read last, so a sequential read costs one copy, and one look-up a block.
// What a node promises about its children is checked when they are read: a lie
// is an error, never a short read or wrong bytes (invariants 1 and 7).

import { PkgError } from '../../errors.ts'
import { MAX_BLOCK_BYTES } from '../blocks/block-file.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import { CID, nodeKey, RAW } from '../cid.ts'
import { badNode, decodeNode, type FileNode, type FilePart } from './node.ts'

/** Levels of a file, at most. Balanced files of 2^53 bytes have 6, trickle ones some 30. */
const MAX_DEPTH = 128
/** Inner nodes that a reader keeps besides those on its way; each covers some 1,000 blocks and takes some 50 KiB. */
const INNER_NODES = 16
/** Bytes that the nodes on the way to one byte may take, and those kept besides: honest ones take some 300 KiB. */
const MAX_WEIGHT = 8 * 1024 * 1024
/** Blocks named at once: 4 MiB in parts of 4 KiB; a file may have parts of one byte. */
const MAX_BLOCKS_FOR = 1024
/** What `readFile` takes into memory unless told otherwise: manifests and records are far smaller. */
const READ_FILE_MAX = 256 * 1024 * 1024

/**
 * Bytes `start` (inclusive) to `end` (exclusive) of the file are what the node `cid` holds itself.
 * Without `node` its bytes were lent, and are asked for again.
 */
type Segment = { start: number; end: number; cid: CID; node: FileNode | undefined }

/** A node on the way down, which begins at `base` of the file; `weight` is that of the way to it. */
type Step = { node: FileNode; base: number; weight: number }

export class FileReader {
  readonly size: number
  readonly #getter: BlockGetter
  readonly #root: FileNode
  /** in the order of their last use, the oldest first */
  readonly #inner = new Map<string, FileNode>()
  #innerWeight = 0
  /** the way to where we read last, from the root */
  readonly #trail: Step[]
  #last: Segment | undefined
  readonly #checked = new WeakSet<FileNode>()

  /** Reads the file's top block unless its node is given. Throws IS_DIRECTORY, NOT_FILE, BAD_NODE, NOT_UNIXFS. */
  constructor(getter: BlockGetter, file: CID | FileNode) {
    this.#getter = getter
    this.#root = fileNode(getter, file)
    this.size = this.#root.size
    this.#trail = [{ node: this.#root, base: 0, weight: 0 }]
  }

  /** Bytes of memory that its nodes take, without the block read last. */
  get weight(): number {
    return this.#root.weight + (this.#trail.at(-1) as Step).weight + this.#innerWeight
  }

  /**
   * Copies the file's bytes from `offset` on into `buffer`; gives how many:
   * `buffer.length`, or less only where the file ends.
   * Throws BAD_NODE where the DAG lies, and what `getter` throws.
   */
  readInto(buffer: Uint8Array, offset: number): number {
    const length = Math.min(buffer.length, Math.max(0, this.size - offset))
    if (this.size === 0) this.#checkEmptyParts(this.#root)
    for (let done = 0; done < length; ) {
      const at = offset + done
      const piece = this.segment(at).subarray(0, length - done)
      buffer.set(piece, done)
      done += piece.length
    }
    return length
  }

  /**
   * The bytes from `offset` to the end of the block they lie in, without a copy; `offset` must be
   * below `size`. Lent if the getter lends.
   */
  segment(offset: number): Uint8Array {
    const last = this.#last
    if (last !== undefined && offset >= last.start && offset < last.end) {
      return (last.node?.inline ?? this.#getter.get(last.cid)).subarray(offset - last.start)
    }
    const { node, base } = this.#descend(offset, () => true)
    const lent = this.#getter.lends === true && node.cid.code === RAW
    this.#last = {
      start: base,
      end: base + node.inline.length,
      cid: node.cid,
      node: lent ? undefined : node,
    }
    return node.inline.subarray(offset - base)
  }

  /**
   * The blocks that a read of this range will ask for, in order and each stretch
   * once, without reading them: what to fetch ahead, at most 1,024. Inner nodes above them are read.
   */
  blocksFor(offset: number, length: number): CID[] {
    const cids: CID[] = []
    const end = Math.min(offset + length, this.size)
    for (let at = offset; at < end && cids.length < MAX_BLOCKS_FOR; ) {
      const part = this.#blockAt(at)
      if (part.cid !== this.#root.cid) cids.push(part.cid)
      at = part.end
    }
    return cids
  }

  /** The block around `offset`, and where it ends: not read when its size says that it can be a leaf. */
  #blockAt(offset: number): { cid: CID; end: number } {
    const { node, base, part } = this.#descend(offset, (part) => this.#isInner(part))
    if (part === undefined) return { cid: node.cid, end: base + node.inline.length }
    return { cid: part.cid, end: base + part.end }
  }

  #isInner({ cid, start, end }: FilePart): boolean {
    return cid.code !== RAW && (end - start > MAX_BLOCK_BYTES || this.#inner.has(nodeKey(cid)))
  }

  /**
   * Goes down to the node whose own bytes hold `offset`, or to the part below it
   * that `enter` does not let us into. `base` is where the node begins in the file.
   */
  #descend(
    offset: number,
    enter: (part: FilePart) => boolean,
  ): { node: FileNode; base: number; part?: FilePart } {
    // From the lowest node on the last way that holds the offset too: a file in parts
    // of one byte, a hundred levels deep, costs one step a byte then.
    const trail = this.#trail
    while (trail.length > 1 && !holds(trail.at(-1) as Step, offset)) trail.pop()
    for (let step = trail.at(-1) as Step; ; step = trail.at(-1) as Step) {
      const { node, base, weight } = step
      if (offset - base < node.inline.length) return { node, base }
      const part = node.partAt(offset - base)
      this.#checkEmptyParts(node)
      if (!enter(part)) return { node, base, part }
      if (trail.length > MAX_DEPTH) throw badNode(this.#root.cid, `it has more than ${MAX_DEPTH} levels`)
      const child = this.#child(node, part)
      if (child.parts === 0) return { node: child, base: base + part.start }
      const heavier = weight + child.weight
      if (heavier > MAX_WEIGHT)
        throw badNode(this.#root.cid, `the nodes above one byte take ${heavier} bytes`)
      trail.push({ node: child, base: base + part.start, weight: heavier })
    }
  }

  /** What has no bytes of the file must be a part of a file all the same; looked at once a node. */
  #checkEmptyParts(node: FileNode): void {
    if (this.#checked.has(node)) return
    const seen = new Set<string>()
    for (const cid of node.emptyParts()) {
      const key = nodeKey(cid)
      if (seen.has(key)) continue
      this.#child(node, { cid, start: 0, end: 0 })
      seen.add(key)
    }
    this.#checked.add(node)
  }

  #child(parent: FileNode, { cid, start, end }: FilePart): FileNode {
    const node = this.#node(cid)
    if (node.size === end - start) return node
    throw badNode(parent.cid, `it says that ${cid} holds ${end - start} bytes, but that holds ${node.size}`)
  }

  #node(cid: CID): FileNode {
    // Sparse files and padding repeat one block.
    const last = this.#last?.node
    if (last?.parts === 0 && last.cid.equals(cid)) return last
    const key = cid.code === RAW ? '' : nodeKey(cid)
    const known = this.#inner.get(key)
    if (known !== undefined) {
      this.#inner.delete(key)
      this.#inner.set(key, known)
      return known
    }
    const node = decodeNode(cid, this.#getter.get(cid))
    if (node.type !== 'file') throw badNode(this.#root.cid, `a ${node.type} (${cid}) is a part of this file`)
    if (node.parts > 0) this.#keep(key, node)
    return node
  }

  #keep(key: string, node: FileNode): void {
    this.#inner.set(key, node)
    this.#innerWeight += node.weight
    for (const [oldest, old] of this.#inner) {
      if (this.#innerWeight <= MAX_WEIGHT && this.#inner.size <= INNER_NODES) break
      this.#inner.delete(oldest)
      this.#innerWeight -= old.weight
    }
  }
}

function holds({ node, base }: Step, offset: number): boolean {
  return offset >= base && offset < base + node.size
}

/**
 * The whole file. Throws UNSUPPORTED when it says that it is larger than
 * `maxBytes`, and what a FileReader throws.
 */
export function readFile(
  getter: BlockGetter,
  file: CID | FileNode,
  { maxBytes = READ_FILE_MAX }: { maxBytes?: number } = {},
): Uint8Array {
  const reader = new FileReader(getter, file)
  if (reader.size > maxBytes) {
    const cid = CID.asCID(file) ?? (file as FileNode).cid
    throw new PkgError('UNSUPPORTED', `${cid} has ${reader.size} bytes; at most ${maxBytes} are read here`)
  }
  const bytes = new Uint8Array(reader.size)
  reader.readInto(bytes, 0)
  return bytes
}

/** Bytes below which a piece is given with those behind it, and how many then: a write each would take for ever. */
const SMALL_PIECE = 4096
const GATHERED = 64 * 1024

/**
 * The file's bytes in order, a piece a block, small blocks together, from `offset` (bytes) on
 * and at most `length`; not to be written to.
 */
export function* chunks(
  getter: BlockGetter,
  file: CID | FileNode,
  { offset = 0, length = Number.POSITIVE_INFINITY }: { offset?: number; length?: number } = {},
): Generator<Uint8Array> {
  const reader = new FileReader(getter, file)
  const end = Math.min(reader.size, offset + length)
  if (reader.size === 0) reader.readInto(new Uint8Array(0), 0)
  for (let at = offset; at < end; ) {
    let piece = reader.segment(at).subarray(0, end - at)
    if (piece.length < Math.min(SMALL_PIECE, end - at)) {
      const gathered = new Uint8Array(Math.min(GATHERED, end - at))
      piece = gathered.subarray(0, reader.readInto(gathered, at))
    }
    yield piece
    at += piece.length
  }
}

function fileNode(getter: BlockGetter, file: CID | FileNode): FileNode {
  const cid = CID.asCID(file)
  const node = cid === null ? (file as FileNode) : decodeNode(cid, getter.get(cid))
  if (node.type === 'file') return node
  if (node.type === 'symlink') throw new PkgError('NOT_FILE', `${node.cid} is a symlink, not a file`)
  throw new PkgError('IS_DIRECTORY', `${node.cid} is a directory`)
}
