// Directories, plain and sharded: find one name, or list all of them.
// Names that no file system can show are left out, and no more than those: one
// bad name must not cost the rest of the listing (invariant 7).

import { PkgError } from '../../errors.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import { CID } from '../cid.ts'
import type { DagPbLink } from '../links/dag-pb.ts'
import type { DirectoryEntries } from './entries.ts'
import { findInHamt, HamtWalk } from './hamt.ts'
import { type DirectoryNode, decodeNode, type HamtNode, type UnixfsNode } from './node.ts'

/** The longest file name that Linux takes, in bytes (NAME_MAX, limits.h). */
const NAME_MAX = 255

export type Entry = {
  name: string
  cid: CID
  /** what the writer claims the entry's blocks take, in bytes; never trusted */
  tsize: number | undefined
}

/** Why an entry is left out. The name is shortened and quoted, fit for a message. */
export type Unusable = { name: string; why: string; cid: CID }

export type ListOptions = { onUnusable?: (entry: Unusable) => void }

/**
 * The entry of that name, or undefined; the first one where a name is there
 * twice. Unusable names are never found. Looking into the same node again is
 * cheap: keep the node.
 * Throws NOT_DIRECTORY, BAD_NODE, NOT_UNIXFS, and what `getter` throws.
 */
export function lookup(getter: BlockGetter, directory: CID | UnixfsNode, name: string): CID | undefined {
  const node = directoryNode(getter, directory)
  if (whyUnusable(name) !== undefined) return undefined
  if (node.type === 'hamt') return findInHamt(getter, node, name)
  return node.entries.find(name)
}

/**
 * The entries in the order of the DAG, each name once; children are not read,
 * only the shards of a sharded directory are.
 * Throws NOT_DIRECTORY, BAD_NODE, NOT_UNIXFS, and what `getter` throws.
 */
export function* list(
  getter: BlockGetter,
  directory: CID | UnixfsNode,
  options: ListOptions = {},
): Generator<Entry> {
  const listing = new Listing(getter, directory, options)
  for (let entry = listing.next(); entry !== undefined; entry = listing.next()) yield entry
}

/** How far somebody has come in such a list. */
export class Listing {
  readonly #getter: BlockGetter
  readonly #options: ListOptions
  readonly #cid: CID
  /** of a plain directory; undefined while it is let go */
  #entries: DirectoryEntries | undefined
  #at = 0
  readonly #shards: HamtWalk | undefined

  /** Throws as `list`. */
  constructor(getter: BlockGetter, directory: CID | UnixfsNode, options: ListOptions = {}) {
    const node = directoryNode(getter, directory)
    this.#getter = getter
    this.#options = options
    this.#cid = node.cid
    if (node.type === 'hamt') this.#shards = new HamtWalk(getter, node)
    else this.#entries = node.entries
  }

  /**
   * The next entry; undefined at the end. When `getter` threw, for it has a block only later,
   * it may be called again. Throws as `list`.
   */
  next(): Entry | undefined {
    for (;;) {
      const link = this.#shards === undefined ? this.#nextLink() : this.#shards.next()
      if (link === undefined) return undefined
      const { name, nameBytes, hash, tsize } = link
      const why = name === undefined ? 'is not UTF-8' : (whyUnusable(name) ?? this.#whyRepeated())
      if (why === undefined) return { name: name as string, cid: hash, tsize }
      this.#options.onUnusable?.({
        name: quote(name ?? Buffer.from(nameBytes ?? []).toString('latin1')),
        why,
        cid: hash,
      })
    }
  }

  /** Shards that come next, in order, for whoever reads ahead: at most `limit`. */
  shardsAhead(limit: number): CID[] {
    return this.#shards?.ahead(limit) ?? []
  }

  /** Bytes of memory that `letGo` would free. */
  get weight(): number {
    return this.#entries?.weight ?? 0
  }

  /** Keeps the place only: what is needed is read again. */
  letGo(): void {
    this.#entries = undefined
  }

  #nextLink(): DagPbLink | undefined {
    this.#entries ??= entriesOf(this.#getter, this.#cid)
    return this.#at < this.#entries.length ? this.#entries.at(this.#at++) : undefined
  }

  /** A sharded directory has one place for a name, so it needs no memory of them. */
  #whyRepeated(): string | undefined {
    return this.#entries?.repeated.has(this.#at - 1) ? 'is there twice' : undefined
  }
}

/** Why no path can hold this name, or undefined when one can. */
export function whyUnusable(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name === '.' || name === '..') return 'stands for another directory'
  if (name.includes('/')) return 'holds a slash'
  if (name.includes('\0')) return 'holds a NUL'
  // A character takes at most three bytes a UTF-16 unit: most names need no counting.
  if (name.length > NAME_MAX / 3 && Buffer.byteLength(name) > NAME_MAX)
    return `has more than ${NAME_MAX} bytes`
  return undefined
}

function entriesOf(getter: BlockGetter, cid: CID): DirectoryEntries {
  return (directoryNode(getter, cid) as DirectoryNode).entries
}

function directoryNode(getter: BlockGetter, directory: CID | UnixfsNode): DirectoryNode | HamtNode {
  const cid = CID.asCID(directory)
  const node = cid === null ? (directory as UnixfsNode) : decodeNode(cid, getter.get(cid))
  if (node.type === 'directory' || node.type === 'hamt') return node
  throw new PkgError('NOT_DIRECTORY', `${node.cid} is a ${node.type}, not a directory`)
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
}
