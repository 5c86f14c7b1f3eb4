// From a path to what lies there: directories that were entered stay in memory,
// with the children's names, CIDs and what is known of their looks.
// Names and numbers here come from verified blocks only. A file's size is the
// length of its verified bytes, or what two independent witnesses agree on: the
// link's Tsize and the length of the block's file; neither is believed alone, for
// the kernel keeps a size for ever, and a wrong one would cut a file short.

import { PkgError } from '../errors.ts'
import { type CID, RAW } from '../store/cid.ts'
import { shownTarget } from '../store/shown-target.ts'
import { list, lookup } from '../store/unixfs/directory.ts'
import { decodeNode, type SymlinkNode, type UnixfsNode } from '../store/unixfs/node.ts'
import { type Stat, stat, statOf } from '../store/unixfs/stat.ts'
import type { BlockCache } from './block-cache.ts'
import { type Child, type Directory, notFound, rootChild, toChild, weight } from './child.ts'
import { type Later, then } from './later.ts'
import { inTurns, Lister, sortByName, WideListing } from './listing.ts'

/**
 * Children kept in memory, over all directories: some 600 bytes each. The kernel
 * remembers what it asked for, so this serves what it has not asked for yet.
 */
const MAX_CHILDREN = 30_000

/** Plain directories of more entries are listed like sharded ones: not before that is asked for, and in turns. */
const LISTED_AT_ONCE = 2000

/** Look-ups in a wide directory after which all of it is read, beside them: from then on one is a look into a map. */
const LOOKUPS_BEFORE_LISTING = 4

export interface SizeSource {
  sizes(cids: readonly CID[]): Promise<Float64Array>
}

export class Tree {
  readonly #cache: BlockCache
  readonly #sizes: SizeSource
  readonly #lister: Lister
  readonly #maxChildren: number
  readonly #store: string
  /** by path, in the order of their last use */
  readonly #directories = new Map<string, Directory>()
  #children = 0

  /** `store` is where links say that it is: see shown-target.ts. `maxChildren`: see MAX_CHILDREN. */
  constructor(
    cache: BlockCache,
    sizes: SizeSource,
    { store, maxChildren = MAX_CHILDREN }: { store: string; maxChildren?: number | undefined },
  ) {
    this.#cache = cache
    this.#maxChildren = maxChildren
    this.#store = store
    this.#sizes = sizes
    this.#lister = new Lister(cache)
  }

  get counts(): { directories: number; children: number } {
    return { directories: this.#directories.size, children: this.#children }
  }

  /** Forgets all directories: the next question about one reads its blocks again. */
  rest(): void {
    this.#directories.clear()
    this.#children = 0
  }

  /** The name at the end of `path`. Throws NOT_FOUND, NOT_DIRECTORY, and what reading the way there throws. */
  child(path: string): Later<Child> {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    if (slash === 0) return rootChild(name)
    return then(this.directory(path.slice(0, slash)), (directory) => this.#childOf(directory, name))
  }

  /** The directory at `path`. Throws as `child`. */
  directory(path: string): Later<Directory> {
    const known = this.known(path)
    if (known !== undefined) return known
    return then(this.child(path), (child) => this.#enter(path, child))
  }

  /** The directory at `path` if it is in memory. */
  known(path: string): Directory | undefined {
    const directory = this.#directories.get(path)
    if (directory === undefined) return undefined
    this.#directories.delete(path)
    this.#directories.set(path, directory)
    return directory
  }

  /** Like `directory`, when no block has to be read for it. */
  prepare(path: string, child: Child): Directory | undefined {
    const known = this.known(path)
    if (known !== undefined || child.cid.code === RAW) return known
    const bytes = this.#cache.peek(child.cid)
    if (bytes === undefined) return undefined
    try {
      return this.#keepDirectory(path, decodeNode(child.cid, bytes))
    } catch {
      // Whoever asks for it gets the error; looking ahead has none.
      return undefined
    }
  }

  /** All children; of very many only the names. Throws TOO_WIDE, BAD_NODE and what reading shards throws. */
  list(directory: Directory): Later<readonly Child[] | WideListing> {
    if (directory.children !== undefined) return directory.children
    directory.listing ??= this.#list(directory).finally(() => {
      directory.listing = undefined
    })
    return directory.listing
  }

  /** What the child at `path` looks like. Throws NOT_UNIXFS, BAD_NODE, and what reading its block throws. */
  stat(path: string, child: Child): Later<Stat> {
    if (child.stat !== undefined) return child.stat
    if (child.pending !== undefined) return child.pending.then(() => this.#stat(path, child))
    return this.#stat(path, child)
  }

  #stat(path: string, child: Child): Later<Stat> {
    if (child.stat !== undefined) return child.stat
    if (child.cid.code === RAW && child.tsize !== undefined && child.pending === undefined) {
      return this.askSizes([child]).then(() => this.#stat(path, child))
    }
    return then(this.node(child.cid), (node) => this.#remember(path, child, node))
  }

  node(cid: CID): Later<UnixfsNode> {
    return this.#cache.with((getter) => decodeNode(cid, getter.get(cid)))
  }

  /** Asks for the sizes of raw children's blocks at once, and believes those that match the links' claims. */
  askSizes(children: readonly Child[]): Promise<void> {
    const asked = this.#sizes.sizes(children.map(({ cid }) => cid)).then((sizes) => {
      for (const [index, child] of children.entries()) {
        const size = sizes[index] as number
        // `pending` stays where they differ: its block then decides, see #stat.
        if (size === child.tsize) child.stat = stat(this.#cache, child.cid, { blockSize: () => size })
      }
    })
    for (const child of children) child.pending = asked
    return asked
  }

  #remember(path: string, child: Child, node: UnixfsNode): Stat {
    if (node.type === 'directory' || node.type === 'hamt') this.#keepDirectory(path, node)
    child.stat = node.type === 'symlink' ? this.#link(path, node) : statOf(node)
    return child.stat
  }

  #link(path: string, node: SymlinkNode): Stat {
    const below = path.indexOf('/', 1)
    const target = shownTarget(this.#store, below === -1 ? '' : path.slice(below), node.target)
    return statOf({ ...node, target })
  }

  #enter(path: string, child: Child): Later<Directory> {
    return then(this.node(child.cid), (node) => this.#keepDirectory(path, node))
  }

  #keepDirectory(path: string, node: UnixfsNode): Directory {
    const known = this.#directories.get(path)
    if (known !== undefined) return known
    if (node.type !== 'directory' && node.type !== 'hamt') {
      throw new PkgError('NOT_DIRECTORY', `${path.slice(0, 400)} is a ${node.type}`)
    }
    const directory: Directory = {
      path,
      byName: new Map(),
      children: undefined,
      node,
      listing: undefined,
      lookups: 0,
    }
    if (node.type === 'directory' && node.entries.length <= LISTED_AT_ONCE) {
      const children = [...list(this.#cache, node)].map(toChild)
      this.#complete(directory, children, new Map(children.map((child) => [child.name, child])))
    }
    this.#directories.set(path, directory)
    this.#children += weight(directory)
    this.#shrink(directory)
    return directory
  }

  async #list(directory: Directory): Promise<readonly Child[] | WideListing> {
    const { node } = directory
    if (node === undefined) return directory.children ?? []
    const entries = await this.#lister.list(node, this.#maxChildren)
    if (directory.children !== undefined) return directory.children
    if (entries instanceof WideListing) {
      // One that would push out all others is listed, but not kept, and not read for look-ups.
      directory.lookups = LOOKUPS_BEFORE_LISTING
      return entries
    }
    // Programs read what they list in the order of names at least as often as in the order given.
    const sorted = node.type === 'hamt' ? await sortByName(entries) : entries
    const children: Child[] = []
    const byName = new Map<string, Child>()
    await inTurns(sorted, (entry, index) => {
      const child = toChild(entry, index)
      children.push(child)
      byName.set(child.name, child)
    })
    const kept = this.#directories.get(directory.path) === directory
    if (kept) this.#children -= weight(directory)
    this.#complete(directory, children, byName)
    if (kept) this.#children += weight(directory)
    this.#shrink(directory)
    return children
  }

  #complete(directory: Directory, children: readonly Child[], byName: ReadonlyMap<string, Child>): void {
    directory.byName = byName
    directory.children = children
    directory.node = undefined
  }

  #shrink(spare: Directory): void {
    for (const [path, directory] of this.#directories) {
      if (this.#children <= this.#maxChildren) return
      if (directory === spare) continue
      this.#directories.delete(path)
      this.#children -= weight(directory)
    }
  }

  #childOf(directory: Directory, name: string): Later<Child> {
    const known = directory.byName.get(name)
    if (known !== undefined) return known
    if (directory.node === undefined) throw notFound(directory, name)
    if (++directory.lookups === LOOKUPS_BEFORE_LISTING) {
      // Nobody waits for it. A shard that is missing must not hide the names in the others.
      const listed = this.list(directory)
      if (listed instanceof Promise) listed.catch(() => {})
    }
    return this.#lookup(directory, name)
  }

  #lookup(directory: Directory, name: string): Later<Child> {
    const { node } = directory
    if (node === undefined) return this.#childOf(directory, name)
    return then(
      this.#cache.with((getter) => lookup(getter, node, name)),
      (cid) => {
        if (cid === undefined) throw notFound(directory, name)
        return toChild({ name, cid })
      },
    )
  }
}
