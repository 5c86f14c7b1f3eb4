// How a read becomes bytes: a file in one raw block is copied from that; of one in several
// the reader with its leaf table is kept, and looks ahead is told how far the reading came.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { PkgError } from '../errors.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import { type CID, RAW, sameBlock } from '../store/cid.ts'
import { FileReader } from '../store/unixfs/read.ts'
import type { BlockCache } from './block-cache.ts'
import type { Child } from './child.ts'
import { guess, type Later, retry, then } from './later.ts'
import type { LookAhead, Sequence } from './look-ahead.ts'
import type { Tree } from './tree.ts'

/** Files of several blocks whose leaf tables are kept. */
const OPEN_FILES = 64
/** Bytes that their tables may take: those of 16 honest files of a terabyte each. */
const OPEN_BYTES = 16 * 1024 * 1024
/** Blocks that one piece of a read may lack before we call it a lie: twice a file's most levels (read.ts). */
const MAX_LOADS = 256
/** Pieces of a file that are copied in one go: some 10 ms for the smallest. */
const PIECES = 4096

type OpenFile = { reader: FileReader; lender: Lender; sequence: Sequence }

type Held = { cid: CID; bytes: Uint8Array }

/** The cache, as a reader of one file sees it: raw blocks are lent, nodes are given. */
class Lender implements BlockGetter {
  readonly lends = true
  readonly #cache: BlockCache
  /** what was just waited for, in case that the cache has let it go already */
  held: Held | undefined

  constructor(cache: BlockCache) {
    this.#cache = cache
  }

  get(cid: CID): Uint8Array {
    const { held } = this
    if (held !== undefined && sameBlock(held.cid, cid)) return held.bytes
    return cid.code === RAW ? this.#cache.lend(cid) : this.#cache.get(cid)
  }
}

export class FileReads {
  readonly #cache: BlockCache
  readonly #tree: Tree
  readonly #lookAhead: LookAhead
  /** by path, in the order of their opening */
  readonly #files = new Map<string, OpenFile>()

  constructor(cache: BlockCache, tree: Tree, lookAhead: LookAhead) {
    this.#cache = cache
    this.#tree = tree
    this.#lookAhead = lookAhead
  }

  /**
   * Fills `into` from `offset` of the file that `child`, at `path`, is; gives how many bytes,
   * less only at its end. Throws IS_DIRECTORY, BAD_NODE, and what reading its blocks throws.
   */
  read(path: string, child: Child, into: Uint8Array, offset: number): Later<number> {
    if (child.cid.code === RAW) return this.#readBlock(child, into, offset)
    return then(this.#open(path, child.cid), (file) => {
      const count = this.#fill(file, into, offset)
      this.#lookAhead.read(file.reader, file.sequence, offset, into.length)
      return count
    })
  }

  /** Forgets all leaf tables. */
  rest(): void {
    this.#files.clear()
  }

  #readBlock(child: Child, into: Uint8Array, offset: number): Later<number> {
    let held: Uint8Array | undefined
    return retry(
      () => copyBlock(child, held ?? this.#cache.lend(child.cid), into, offset),
      async (cid) => {
        held = await this.#cache.loadLent(cid)
      },
    )
  }

  #open(path: string, cid: CID): Later<OpenFile> {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    return then(this.#tree.node(cid), (node) => {
      if (node.type !== 'file') throw new PkgError('IS_DIRECTORY', `${path.slice(0, 400)} is a ${node.type}`)
      const lender = new Lender(this.#cache)
      const reader = new FileReader(lender, node)
      const file = { reader, lender, sequence: { next: 0, run: 0, ahead: 0, released: 0 } }
      this.#files.set(path, file)
      this.#shrink()
      return file
    })
  }

  #shrink(): void {
    let weight = 0
    for (const { reader } of this.#files.values()) weight += reader.weight
    for (const [oldest, { reader }] of this.#files) {
      if (this.#files.size <= OPEN_FILES && weight <= OPEN_BYTES) break
      weight -= reader.weight
      this.#files.delete(oldest)
    }
  }

  /** Piece by piece: what was copied stays copied when a block has to be waited for. */
  #fill({ reader, lender }: OpenFile, into: Uint8Array, offset: number): Later<number> {
    const length = Math.min(into.length, Math.max(0, reader.size - offset))
    let done = 0
    let loads = 0
    let held: Held | undefined
    const copy = (): Later<number> => {
      lender.held = held
      try {
        // There is nothing to copy, but a lie to find (FileReader.readInto).
        if (length === 0) return reader.readInto(into.subarray(0, 0), 0)
        for (let pieces = 0; done < length; pieces++) {
          // A file may have parts of one byte: others get their turn in between.
          if (pieces === PIECES) return nextTurn().then(() => retry(copy, bring))
          const piece = reader.segment(offset + done).subarray(0, length - done)
          into.set(piece, done)
          done += piece.length
          loads = 0
        }
        return length
      } finally {
        lender.held = held = undefined
      }
    }
    const bring = async (cid: CID) => {
      // The other blocks of this read meanwhile.
      if (loads === 0) this.#cache.ahead(guess(() => reader.blocksFor(offset + done, length - done)) ?? [])
      if (++loads > MAX_LOADS)
        throw new PkgError('BAD_NODE', `a file's block at ${offset + done} is nested too deep`)
      held = { cid, bytes: await (cid.code === RAW ? this.#cache.loadLent(cid) : this.#cache.load(cid)) }
    }
    return retry(copy, bring)
  }
}

/** The kernel believes the size that it was told first; bytes of another length are an error, not a shorter file. */
function copyBlock({ cid, stat }: Child, bytes: Uint8Array, into: Uint8Array, offset: number): number {
  if (stat !== undefined && stat.size !== bytes.length) {
    throw new PkgError('IO', `block ${cid} has ${bytes.length} bytes, and was shown with ${stat.size}`)
  }
  const piece = bytes.subarray(offset, offset + into.length)
  into.set(piece)
  return piece.length
}
