// Listing a wide directory without blocking the main thread and without much memory: the
// walk lets others in between, reads the shards that come next ahead, and holds one path of
// them; what is too wide to keep is held as names alone.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { PkgError } from '../errors.ts'
import { type CID, RAW, sameBlock } from '../store/cid.ts'
import { type Entry, Listing } from '../store/unixfs/directory.ts'
import type { DirectoryNode, HamtNode } from '../store/unixfs/node.ts'
import { TYPE_MODE } from './attributes.ts'
import type { BlockCache } from './block-cache.ts'
import type { ListedName } from './fuse.ts'
import { retry } from './later.ts'

/** Entries walked before other requests get their turn: some 10 ms. */
const SLICE = 2000
/** Shards that are read at once. */
const SHARDS_AHEAD = 256
/**
 * Names of one directory, at most, and their characters: libfuse takes all of them at once,
 * so they take some 200 MiB then, twice.
 */
const MAX_NAMES = 2_000_000
const MAX_CHARACTERS = 128 * 1024 * 1024
/** Listings of more entries than this are made one at a time. */
const ALONE = 20_000

/** What cannot be kept as entries: the names, and which of them are raw blocks and so files. */
export class WideListing implements Iterable<ListedName> {
  readonly #names: string[] = []
  readonly #areFiles: boolean[] = []
  #characters = 0

  /** Throws TOO_WIDE. */
  add({ name, cid }: Entry, directory: CID): void {
    this.#names.push(name)
    this.#areFiles.push(cid.code === RAW)
    this.#characters += name.length
    if (this.#names.length <= MAX_NAMES && this.#characters <= MAX_CHARACTERS) return
    throw new PkgError('TOO_WIDE', `${directory} has more than ${this.#names.length - 1} names`, {
      hint: 'What lies below a name is there all the same; `pkg store ls` lists it.',
    })
  }

  *[Symbol.iterator](): Generator<ListedName> {
    for (const [index, name] of this.#names.entries()) {
      yield { name, mode: this.#areFiles[index] ? TYPE_MODE.file : 0 }
    }
  }
}

/** Lists directories, wide ones one after the other. */
export class Lister {
  readonly #cache: BlockCache
  #last: Promise<unknown> = Promise.resolve()

  constructor(cache: BlockCache) {
    this.#cache = cache
  }

  /**
   * All entries in the order of the DAG; of more than `most` only the names. Throws TOO_WIDE,
   * BAD_NODE, and what reading shards throws.
   */
  async list(node: DirectoryNode | HamtNode, most: number): Promise<Entry[] | WideListing> {
    const entries: Entry[] = []
    const wide = new WideListing()
    let isWide = false
    let done: (() => void) | undefined
    try {
      for await (const slice of this.#slices(node)) {
        for (const entry of slice) {
          if (!isWide && entries.length < most) entries.push(entry)
          else {
            if (!isWide) for (const one of entries.splice(0)) wide.add(one, node.cid)
            isWide = true
            wide.add(entry, node.cid)
          }
        }
        if (done === undefined && entries.length > ALONE) done = await this.#turn()
      }
      return isWide ? wide : entries
    } finally {
      done?.()
    }
  }

  /** Settles when those before are done. */
  async #turn(): Promise<() => void> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    return resolve
  }

  async *#slices(node: DirectoryNode | HamtNode): AsyncGenerator<Entry[]> {
    let held: { cid: CID; bytes: Uint8Array } | undefined
    const getter = {
      get: (cid: CID) => (held !== undefined && sameBlock(held.cid, cid) ? held.bytes : this.#cache.get(cid)),
    }
    const listing = new Listing(getter, node)
    const bring = async (cid: CID) => {
      this.#cache.ahead(listing.shardsAhead(SHARDS_AHEAD))
      held = { cid, bytes: await this.#cache.load(cid) }
    }
    let slice: Entry[] = []
    for (;;) {
      const next = retry(() => listing.next(), bring)
      const entry = next instanceof Promise ? await next : next
      if (entry === undefined) break
      slice.push(entry)
      if (slice.length < SLICE) continue
      yield slice
      slice = []
      await nextTurn()
    }
    yield slice
  }
}

/** Sorts by name as `Array.sort` does, a slice at a time. */
export async function sortByName(entries: Entry[]): Promise<Entry[]> {
  let runs: Entry[][] = []
  for (let at = 0; at < entries.length; at += SLICE) {
    runs.push(entries.slice(at, at + SLICE).sort((a, b) => (a.name < b.name ? -1 : 1)))
    await nextTurn()
  }
  while (runs.length > 1) {
    const merged: Entry[][] = []
    for (let at = 0; at < runs.length; at += 2) {
      const [one, other] = [runs[at] as Entry[], runs[at + 1]]
      merged.push(other === undefined ? one : await merge(one, other))
    }
    runs = merged
  }
  return runs[0] ?? []
}

async function merge(one: readonly Entry[], other: readonly Entry[]): Promise<Entry[]> {
  const all: Entry[] = []
  let [left, right] = [0, 0]
  while (left < one.length || right < other.length) {
    const [a, b] = [one[left], other[right]]
    if (b === undefined || (a !== undefined && a.name < b.name)) {
      all.push(a as Entry)
      left += 1
    } else {
      all.push(b)
      right += 1
    }
    if (all.length % (SLICE * 8) === 0) await nextTurn()
  }
  return all
}

/** Goes through a list, a slice at a time. */
export async function inTurns<T>(list: readonly T[], use: (item: T, index: number) => void): Promise<void> {
  for (const [index, item] of list.entries()) {
    use(item, index)
    if (index % SLICE === SLICE - 1) await nextTurn()
  }
}
