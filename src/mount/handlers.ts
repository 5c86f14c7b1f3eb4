// What the mounted file system answers. Missing and bad blocks are EIO (the
// table in errors.ts), an unknown root is ENOENT, and nothing here blocks.

import { hasCode, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { isIdentity } from '../store/blocks/hash.ts'
import { parseCid, RAW } from '../store/cid.ts'
import type { Stat } from '../store/unixfs/stat.ts'
import { attributesOf, TOP, TYPE_MODE, xattrsOf } from './attributes.ts'
import type { BlockCache } from './block-cache.ts'
import type { Child, Directory } from './child.ts'
import { FileReads } from './file-reads.ts'
import { ENODATA, ENOSYS, EOPNOTSUPP, type FileSystem, type ListedName, type Space } from './fuse.ts'
import type { Attributes } from './fuse-stat.ts'
import { type Later, then } from './later.ts'
import { WideListing } from './listing.ts'
import { LookAhead } from './look-ahead.ts'
import { listRoots } from './roots.ts'
import { spaceOf } from './space.ts'
import { type SizeSource, Tree } from './tree.ts'

export type MountParts = {
  paths: PrefixPaths
  cache: BlockCache
  sizes: SizeSource
  /** the store's path in links that are shown; else as `paths` has it */
  store?: string
  /** told of each root that is answered for as not there: it may come */
  onAbsent?: (name: string) => void
  /** children that are kept in memory; see tree.ts */
  maxChildren?: number
}

/** The file system over these parts. */
export class StoreFileSystem implements FileSystem {
  readonly #paths: PrefixPaths
  readonly #cache: BlockCache
  readonly #sizes: SizeSource
  readonly #tree: Tree
  readonly #lookAhead: LookAhead
  readonly #files: FileReads
  readonly #space: () => Later<Space>
  readonly #onAbsent: (name: string) => void
  readonly #requests = {
    getattr: 0,
    readdir: 0,
    readlink: 0,
    open: 0,
    read: 0,
    getxattr: 0,
    listxattr: 0,
    statfs: 0,
  }

  constructor({ paths, cache, sizes, store = paths.store, onAbsent = () => {}, maxChildren }: MountParts) {
    this.#paths = paths
    this.#cache = cache
    this.#sizes = sizes
    this.#tree = new Tree(cache, sizes, { store, maxChildren })
    this.#lookAhead = new LookAhead(cache, this.#tree)
    this.#files = new FileReads(cache, this.#tree, this.#lookAhead)
    this.#space = spaceOf(paths.blocks)
    this.#onAbsent = onAbsent
  }

  /** Requests since the start. */
  get requests(): number {
    return Object.values(this.#requests).reduce((sum, count) => sum + count, 0)
  }

  /** Gives back what was kept for the next question: the kernel has what it asked for. */
  rest(): void {
    this.#cache.rest()
    this.#tree.rest()
    this.#files.rest()
  }

  counts(): Record<string, unknown> {
    return { requests: this.#requests, cache: this.#cache.counts, tree: this.#tree.counts }
  }

  getattr(path: string): Later<Attributes> {
    this.#requests.getattr++
    if (path === '/') return TOP
    return this.#atRoot(path, then(this.#statOf(path), attributesOf))
  }

  readdir(path: string): Later<Iterable<ListedName>> {
    this.#requests.readdir++
    if (path === '/') return this.#rootNames()
    return then(this.#tree.directory(path), (directory) =>
      then(this.#tree.list(directory), (listed) => {
        if (listed instanceof WideListing) return listed
        this.#lookAhead.listed(directory)
        return listed.map(listedName)
      }),
    )
  }

  readlink(path: string): Later<string> {
    this.#requests.readlink++
    return then(this.#statOf(path), ({ target }) => {
      if (target !== undefined) return target
      throw new PkgError('NOT_SYMLINK', `${path.slice(0, 400)} is no symlink`)
    })
  }

  open(): number {
    this.#requests.open++
    return ENOSYS
  }

  read(path: string, into: Uint8Array, offset: number): Later<number> {
    this.#requests.read++
    return then(this.#tree.child(path), (child) => {
      if (offset === 0) this.#withParent(path, (directory) => this.#lookAhead.opened(directory, child))
      return this.#files.read(path, child, into, offset)
    })
  }

  getxattr(path: string, name: string): Later<Uint8Array | number> {
    this.#requests.getxattr++
    // "Not supported" makes ls(1) ask once a file system, where "no such attribute" makes it ask for each file.
    if (!name.startsWith('ipfs.')) return name.startsWith('user.') ? ENODATA : EOPNOTSUPP
    if (path === '/') return ENODATA
    return then(this.#xattrs(path), (values) => values.get(name) ?? ENODATA)
  }

  listxattr(path: string): Later<string[]> {
    this.#requests.listxattr++
    return path === '/' ? [] : then(this.#xattrs(path), (values) => [...values.keys()])
  }

  statfs(): Later<Space> {
    this.#requests.statfs++
    return this.#space()
  }

  #statOf(path: string): Later<Stat> {
    return then(this.#tree.child(path), (child) => {
      const stat = this.#tree.stat(path, child)
      if (child.index >= 0) this.#withParent(path, (directory) => this.#lookAhead.statted(directory, child))
      return stat
    })
  }

  /** A root whose block is not here is an unknown name; below a root it would be a damage. */
  #atRoot<T>(path: string, value: Later<T>): Later<T> {
    if (path.includes('/', 1) || !(value instanceof Promise)) return value
    return value.catch((error) => {
      if (!hasCode(error, 'MISSING_BLOCK')) throw error
      this.#onAbsent(path.slice(1))
      throw new PkgError('NOT_FOUND', error.message)
    })
  }

  #xattrs(path: string): Later<Map<string, Uint8Array>> {
    return then(this.#tree.child(path), (child) =>
      then(this.#tree.stat(path, child), (stat) => xattrsOf(child.cid, stat)),
    )
  }

  #withParent(path: string, use: (directory: Directory) => void): void {
    const directory = this.#tree.known(path.slice(0, path.lastIndexOf('/')))
    if (directory !== undefined) use(directory)
  }

  async #rootNames(): Promise<ListedName[]> {
    const names = await listRoots(this.#paths)
    const present = await this.#sizes.sizes(names.map(parseCid))
    return names
      .filter((name, index) => (present[index] as number) >= 0 || isIdentity(parseCid(name)))
      .map((name) => ({ name, mode: 0 }))
  }
}

function listedName({ name, cid, stat }: Child): ListedName {
  return { name, mode: cid.code === RAW ? TYPE_MODE.file : stat ? TYPE_MODE[stat.type] : 0 }
}
