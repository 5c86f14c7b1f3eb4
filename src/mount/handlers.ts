// What the mounted file system answers. Missing and bad blocks are EIO (the
// table in errors.ts), an unknown root is ENOENT, and nothing here blocks.

import { statfs } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { hasCode, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { type CID, parseCid, RAW } from '../store/cid.ts'
import { isIdentity } from '../store/hash.ts'
import type { FileNode } from '../store/unixfs/node.ts'
import { FileReader } from '../store/unixfs/read.ts'
import { attributesOf, TOP, TYPE_MODE, xattrsOf } from './attributes.ts'
import { type BlockCache, NotLoaded } from './block-cache.ts'
import { ENODATA, ENOSYS, EOPNOTSUPP, type FileSystem, type Later, type Space } from './fuse.ts'
import type { Attributes } from './fuse-stat.ts'
import { WideListing } from './listing.ts'
import { LookAhead, type Sequence } from './look-ahead.ts'
import { listRoots } from './roots.ts'
import { type Child, type Directory, type SizeSource, Tree } from './tree.ts'

/** Files of several blocks whose leaf tables are kept. */
const OPEN_FILES = 64
/** Bytes that their tables may take: those of 64 honest files of a terabyte each. */
const OPEN_BYTES = 64 * 1024 * 1024
/** Blocks that one piece of a read may lack before we call it a lie: twice a file's most levels (read.ts). */
const MAX_LOADS = 256
/** Pieces of a file that are copied in one go: some 10 ms for the smallest. */
const PIECES = 4096
/** How long a statfs answer is good for, in milliseconds: df asks some file systems many times. */
const SPACE_MS = 1000

type OpenFile = { readonly node: FileNode; reader: FileReader; sequence: Sequence }

export type MountParts = {
  paths: PrefixPaths
  cache: BlockCache
  sizes: SizeSource
  /** children that are kept in memory; see tree.ts */
  maxChildren?: number
}

export type Mounted = FileSystem & { counts(): Record<string, unknown> }

/** The file system over these parts. */
export function createFileSystem({ paths, cache, sizes, maxChildren }: MountParts): Mounted {
  const tree = new Tree(cache, sizes, maxChildren)
  const lookAhead = new LookAhead(cache, tree)
  const files = new Map<string, OpenFile>()
  const requests = {
    getattr: 0,
    readdir: 0,
    readlink: 0,
    open: 0,
    read: 0,
    getxattr: 0,
    listxattr: 0,
    statfs: 0,
  }
  const space = spaceOf(paths.blocks)

  function getattr(path: string): Later<Attributes> {
    requests.getattr++
    if (path === '/') return TOP
    return atRoot(path, then(statOf(path), attributesOf))
  }

  function statOf(path: string) {
    return then(tree.child(path), (child) => {
      const stat = tree.stat(path, child)
      if (child.index >= 0) withParent(path, (directory) => lookAhead.statted(directory, child))
      return stat
    })
  }

  function withParent(path: string, use: (directory: Directory) => void): void {
    const directory = tree.known(path.slice(0, path.lastIndexOf('/')))
    if (directory !== undefined) use(directory)
  }

  return {
    getattr,
    readdir(path) {
      requests.readdir++
      if (path === '/') return rootNames(paths, sizes)
      return then(tree.directory(path), (directory) =>
        then(tree.list(directory), (listed) => {
          if (listed instanceof WideListing) return listed
          lookAhead.listed(directory)
          return listed.map(listedName)
        }),
      )
    },
    readlink(path) {
      requests.readlink++
      return then(statOf(path), ({ target }) => {
        if (target !== undefined) return target
        throw new PkgError('NOT_SYMLINK', `${path.slice(0, 400)} is no symlink`)
      })
    },
    open() {
      requests.open++
      return ENOSYS
    },
    read(path, into, offset) {
      requests.read++
      return then(tree.child(path), (child) => {
        if (offset === 0) withParent(path, (directory) => lookAhead.opened(directory, child))
        if (child.cid.code === RAW) return readBlock(child, into, offset)
        return then(openFile(path, child.cid), (file) => {
          const count = fill(file, into, offset)
          lookAhead.read(file.reader, file.sequence, offset, into.length)
          return count
        })
      })
    },
    getxattr(path, name) {
      requests.getxattr++
      // "Not supported" makes ls(1) ask once a file system, where "no such attribute" makes it ask for each file.
      if (!name.startsWith('ipfs.')) return name.startsWith('user.') ? ENODATA : EOPNOTSUPP
      if (path === '/') return ENODATA
      return then(xattrs(path), (values) => values.get(name) ?? ENODATA)
    },
    listxattr(path) {
      requests.listxattr++
      return path === '/' ? [] : then(xattrs(path), (values) => [...values.keys()])
    },
    statfs() {
      requests.statfs++
      return space()
    },
    counts: () => ({ requests, cache: cache.counts, tree: tree.counts }),
  }

  function xattrs(path: string) {
    return then(tree.child(path), (child) =>
      then(tree.stat(path, child), (stat) => xattrsOf(child.cid, stat)),
    )
  }

  function readBlock(child: Child, into: Uint8Array, offset: number): Later<number> {
    const known = cache.peek(child.cid)
    return known
      ? copyBlock(child, known, into, offset)
      : cache.load(child.cid).then((bytes) => copyBlock(child, bytes, into, offset))
  }

  function openFile(path: string, cid: CID): Later<OpenFile> {
    const known = files.get(path)
    if (known !== undefined) return known
    return then(tree.node(cid), (node) => {
      if (node.type !== 'file') throw new PkgError('IS_DIRECTORY', `${path.slice(0, 400)} is a ${node.type}`)
      const file = {
        node,
        reader: new FileReader(cache, node),
        sequence: { next: 0, run: 0, ahead: 0, released: 0 },
      }
      files.set(path, file)
      let weight = 0
      for (const { reader } of files.values()) weight += reader.weight
      for (const [oldest, { reader }] of files) {
        if (files.size <= OPEN_FILES && weight <= OPEN_BYTES) break
        weight -= reader.weight
        files.delete(oldest)
      }
      return file
    })
  }

  /** Piece by piece, so that what was copied stays copied when a block has to be waited for. */
  function fill(file: OpenFile, into: Uint8Array, offset: number, done = 0): Later<number> {
    const length = Math.min(into.length, Math.max(0, file.reader.size - offset))
    let at = done
    try {
      for (let pieces = 0; at < length; pieces++) {
        // A file may have parts of one byte: others get their turn in between.
        if (pieces === PIECES) return setImmediate().then(() => fill(file, into, offset, at))
        const piece = file.reader.segment(offset + at).subarray(0, length - at)
        // The reader's last block was let go (BlockCache.release): a new reader asks for it again.
        if (piece.length === 0) file.reader = new FileReader(cache, file.node)
        into.set(piece, at)
        at += piece.length
      }
      return length
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error
      return fillLater(file, into, offset, at, error)
    }
  }

  async function fillLater(
    file: OpenFile,
    into: Uint8Array,
    offset: number,
    done: number,
    missing: NotLoaded,
  ): Promise<number> {
    // The other blocks of this read meanwhile.
    aheadOf(file.reader, offset + done, into.length - done)
    let lacking = missing
    for (let loads = 0; loads < MAX_LOADS; loads++) {
      await cache.load(lacking.cid)
      try {
        file.reader.segment(offset + done)
        return await fill(file, into, offset, done)
      } catch (error) {
        if (!(error instanceof NotLoaded)) throw error
        lacking = error
      }
    }
    throw new PkgError('BAD_NODE', `a file's block at ${offset + done} is nested too deep`)
  }

  function aheadOf(reader: FileReader, offset: number, length: number): void {
    try {
      cache.ahead(reader.blocksFor(offset, length))
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error
    }
  }
}

/** The kernel believes the size that it was told first; bytes of another length are an error, not a shorter file. */
function copyBlock(child: Child, bytes: Uint8Array, into: Uint8Array, offset: number): number {
  if ((bytes.buffer as ArrayBuffer).detached)
    throw new PkgError('IO', `block ${child.cid} was let go too early`)
  if (child.stat !== undefined && child.stat.size !== bytes.length) {
    throw new PkgError(
      'IO',
      `block ${child.cid} has ${bytes.length} bytes, and was shown with ${child.stat.size}`,
    )
  }
  const piece = bytes.subarray(offset, offset + into.length)
  into.set(piece)
  return piece.length
}

function listedName({ name, cid, stat }: Child): { name: string; mode: number } {
  return { name, mode: cid.code === RAW ? TYPE_MODE.file : stat ? TYPE_MODE[stat.type] : 0 }
}

async function rootNames(paths: PrefixPaths, sizes: SizeSource): Promise<{ name: string; mode: number }[]> {
  const names = await listRoots(paths)
  const present = await sizes.sizes(names.map(parseCid))
  return names
    .filter((name, index) => (present[index] as number) >= 0 || isIdentity(parseCid(name)))
    .map((name) => ({ name, mode: 0 }))
}

/** A root whose block is not here is an unknown name; below a root it would be a damage. */
function atRoot<T>(path: string, value: Later<T>): Later<T> {
  if (path.includes('/', 1) || !(value instanceof Promise)) return value
  return value.catch((error) => {
    if (!hasCode(error, 'MISSING_BLOCK')) throw error
    throw new PkgError('NOT_FOUND', error.message)
  })
}

/** The space of the file system that the blocks are on: units of 4 KiB, larger ones where 32 bits would not hold the count. */
function spaceOf(directory: string): () => Later<Space> {
  let until = 0
  let known: Promise<Space> | undefined
  return () => {
    if (known !== undefined && performance.now() < until) return known
    until = performance.now() + SPACE_MS
    known = statfs(directory).then(({ bsize, blocks, bfree, bavail }) => {
      const scale = 2 ** Math.max(0, Math.ceil(Math.log2(blocks / 2 ** 31)))
      const scaled = (count: number) => Math.floor(count / scale)
      return {
        blockSize: bsize * scale,
        blocks: scaled(blocks),
        free: scaled(bfree),
        available: scaled(bavail),
      }
    })
    return known
  }
}

function then<T, U>(value: Later<T>, use: (value: T) => Later<U>): Later<U> {
  return value instanceof Promise ? value.then(use) : use(value)
}
