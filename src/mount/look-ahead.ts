// Guesses what will be asked for next, and has it read in the background: sizes
// and nodes of a listed directory's children, the contents of files that are
// read one after the other, the next blocks of a file that is read from front to
// back. A guess never fails, never delays an answer, and is bounded in bytes.

import { RAW } from '../store/cid.ts'
import { decodeNode } from '../store/unixfs/node.ts'
import type { FileReader } from '../store/unixfs/read.ts'
import type { BlockCache } from './block-cache.ts'
import type { Child, Directory } from './child.ts'
import { guess } from './later.ts'
import type { Tree } from './tree.ts'

/** Children whose looks are asked for at once. Smaller: more messages; larger: the first of them comes later. */
const STAT_BATCH = 128
/** How far the looks are known ahead of the one that was asked for last. */
const STAT_AHEAD = 512
/** Files read ahead of the one that is read, at most, and their bytes. */
const FILES_AHEAD = 64
const FILE_BYTES_AHEAD = 8 * 1024 * 1024
/** Names between two files that still count as "one after the other": directories and links among them. */
const GAP = 4
/** Blocks of one file read ahead, at most in bytes: what two readers deliver in some 4 ms. */
const SEQUENTIAL_BYTES = 8 * 1024 * 1024
/** The kernel sends its requests in parallel: one this far from the expected place is still in sequence. */
const SEQUENTIAL_SLACK = 2 * 1024 * 1024

type Progress = {
  /** children before this index were asked for */
  statted: number
  /** index of the file that was read last */
  read: number
  /** files read in order so far */
  streak: number
  /** children before this index were read ahead */
  readAhead: number
}

/** Where a file is read, in bytes: the expected place, how far the run got, what was read ahead and what let go. */
export type Sequence = { next: number; run: number; ahead: number; released: number }

export class LookAhead {
  readonly #cache: BlockCache
  readonly #tree: Tree
  readonly #progress = new WeakMap<Directory, Progress>()

  constructor(cache: BlockCache, tree: Tree) {
    this.#cache = cache
    this.#tree = tree
  }

  /** A directory was listed: its children's looks come next, and then, maybe, its neighbour's. */
  listed(directory: Directory): void {
    if (this.#stats(directory, 0) === 'asked') this.#neighbour(directory, (next) => this.#stats(next, 0))
  }

  /** The looks of one child were asked for. */
  statted(directory: Directory, { index }: Child): void {
    const { statted } = this.#of(directory)
    if (index >= 0 && index + STAT_AHEAD / 2 > statted && index <= statted) this.#stats(directory, statted)
  }

  /** A file is read from its beginning. */
  opened(directory: Directory, { index }: Child): void {
    const { children } = directory
    if (children === undefined || index < 0) return
    const progress = this.#of(directory)
    const step = index - progress.read
    if (step === 0) return
    const inOrder = step > 0 && step <= GAP
    progress.streak = inOrder ? progress.streak + 1 : 0
    progress.read = index
    if (!inOrder) progress.readAhead = index + 1
    if (progress.streak === 0) return
    const window = Math.min(2 << progress.streak, FILES_AHEAD)
    if (progress.readAhead - index > window / 2) return
    this.#files(directory, progress, index + 1 + window)
    if (index + window >= children.length) {
      this.#neighbour(directory, (next) => this.#files(next, this.#of(next), window))
    }
  }

  /** Bytes of a file in several blocks were read. */
  read(reader: FileReader, sequence: Sequence, offset: number, length: number): void {
    const inOrder = Math.abs(offset - sequence.next) <= SEQUENTIAL_SLACK
    sequence.run = inOrder ? sequence.run + length : 0
    sequence.next = inOrder ? Math.max(sequence.next, offset + length) : offset + length
    if (!inOrder) sequence.ahead = sequence.released = sequence.next
    if (sequence.run === 0) return
    this.#release(reader, sequence)
    const limit = Math.min(SEQUENTIAL_BYTES, this.#cache.aheadBytes)
    const window = Math.min(4 * sequence.run, limit)
    const from = Math.max(sequence.ahead, sequence.next)
    // In steps of half a window, not for each request anew.
    if (from - sequence.next > window / 2) return
    const stretch = sequence.next + window - from
    const coming = guess(() => reader.blocksFor(from, stretch))
    if (coming === undefined) return
    this.#cache.ahead(coming, { large: true })
    sequence.ahead = from + stretch
  }

  /** What lies far enough behind has been answered; the last block of the stretch may reach beyond it. */
  #release(reader: FileReader, sequence: Sequence): void {
    const limit = sequence.next - SEQUENTIAL_SLACK
    if (limit - sequence.released < SEQUENTIAL_SLACK) return
    const behind = guess(() => reader.blocksFor(sequence.released, limit - sequence.released))
    // An inner node that is not in memory any more: the bound takes care of its blocks.
    if (behind === undefined) return
    for (const cid of behind.slice(0, -1)) this.#cache.release(cid)
    sequence.released = limit
  }

  #stats(directory: Directory, from: number): 'asked' | 'nothing' {
    const { children } = directory
    const progress = this.#of(directory)
    if (children === undefined || from < progress.statted || from >= children.length) return 'nothing'
    const batch = children.slice(from, from + STAT_BATCH).filter(({ stat, pending }) => !stat && !pending)
    progress.statted = from + STAT_BATCH
    const raw = batch.filter(({ cid, tsize }) => cid.code === RAW && tsize !== undefined)
    if (raw.length > 0) void this.#tree.askSizes(raw)
    this.#cache.ahead(batch.filter(({ cid }) => cid.code !== RAW).map(({ cid }) => cid))
    return 'asked'
  }

  #files(directory: Directory, progress: Progress, end: number): void {
    const { children } = directory
    if (children === undefined) return
    let budget = Math.min(FILE_BYTES_AHEAD, this.#cache.aheadBytes)
    const cids = []
    let at = progress.readAhead
    for (; at < Math.min(end, children.length) && budget > 0; at++) {
      const child = children[at] as Child
      if (child.cid.code === RAW) {
        budget -= child.stat?.size ?? child.tsize ?? 0
        cids.push(child.cid)
      } else if (child.stat?.type === 'file') {
        // A file with a mode is a node above its bytes: the node is here, its first block may not be.
        const first = this.#firstBlock(child)
        budget -= first?.size ?? 0
        if (first) cids.push(first.cid)
      }
    }
    progress.readAhead = Math.max(progress.readAhead, at)
    this.#cache.ahead(cids)
  }

  #firstBlock({ cid }: Child) {
    const bytes = this.#cache.peek(cid)
    if (bytes === undefined) return { cid, size: 0 }
    const node = decodeNode(cid, bytes)
    const part =
      node.type === 'file' && node.size > node.inline.length ? node.partAt(node.inline.length) : undefined
    return part && { cid: part.cid, size: part.end - part.start }
  }

  /** The directory that follows this one in its parent, if that takes no reading. */
  #neighbour({ path }: Directory, use: (next: Directory) => void): void {
    const slash = path.lastIndexOf('/')
    const parent = slash > 0 ? this.#tree.known(path.slice(0, slash)) : undefined
    const index = parent?.byName.get(path.slice(slash + 1))?.index ?? -1
    if (parent?.children === undefined || index < 0) return
    for (const child of parent.children.slice(index + 1, index + 1 + GAP)) {
      const next = this.#tree.prepare(`${parent.path}/${child.name}`, child)
      if (next === undefined) continue
      use(next)
      return
    }
  }

  #of(directory: Directory): Progress {
    let progress = this.#progress.get(directory)
    if (progress === undefined) {
      progress = { statted: 0, read: Number.NEGATIVE_INFINITY, streak: 0, readAhead: 0 }
      this.#progress.set(directory, progress)
    }
    return progress
  }
}
