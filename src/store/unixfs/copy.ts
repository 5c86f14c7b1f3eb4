// Writes a UnixFS tree as real files into a place that does not exist yet.
// Entries are made with names that `list` let through, each once, in directories
// made just now and held by their descriptors: so none is written through a symlink,
// whatever others do to the place meanwhile (invariant 7).

import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode, PkgError } from '../../errors.ts'
import { writeAll } from '../../files/atomic.ts'
import { HeldDirectory } from '../../files/held-directory.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import type { CID } from '../cid.ts'
import { Listing } from './directory.ts'
import { ListingStack } from './listing-stack.ts'
import { decodeNode, type FileNode, type UnixfsNode } from './node.ts'
import { chunks } from './read.ts'
import { type Stat, statOf } from './stat.ts'
import { forUtimes, type Mtime } from './times.ts'

/** The longest path that Linux takes, in bytes (PATH_MAX less its NUL, limits.h). */
const MAX_PATH = 4095
/** Bytes written between two looks at timers and signals. */
const BREATH_BYTES = 32 * 1024 * 1024
/** Entries made between two such looks: some 20 ms. */
const BREATH_ENTRIES = 256
/** A copy can be written again, so it gets what the umask leaves of these. */
const FILE_MODE = 0o666
const EXECUTABLE = 0o111

export type CopyFigures = {
  files: number
  directories: number
  symlinks: number
  bytes: number
  /** what could not be copied: its path below the root, and why */
  leftOut: { path: string; why: string }[]
}

export type CopyOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((figures: CopyFigures) => void) | undefined
  /** makes it read-only, with the modes and times that the mount shows (stat.ts); else modes are left to the umask */
  sealed?: SealedCopy | undefined
  /** bytes of the destination's path as others will use it, where `destination` is another way to it */
  pathBytes?: number
}

/** Where a sealed copy may save work. Paths of the tree begin with a slash. */
export type SealedCopy = {
  /** Makes the sealed file at `place` by other means; false when it is to be copied. */
  reuse(node: FileNode, place: string): boolean
  /** Told of each file that was copied, sealed. */
  copied(node: FileNode, place: string): void
  /** The target of a symlink that stands for what lies at `path`; undefined for a copy. */
  linkFor(path: string): string | undefined
  /** The target to show of the symlink at `path`: see shown-target.ts. */
  shown(path: string, target: string): string
}

/** A directory that is being filled. `path` is below the root, '' for the root itself. */
type Filling = { held: HeldDirectory; path: string; mtime?: Mtime | undefined }

/** A node whose turn it is. */
type Todo = { cid: CID; path: string; name: string; into: HeldDirectory }

/** Throws BAD_NODE, UNSUPPORTED (a path too long), CHANGED and what `getter` and the disk throw; what was written stays. */
export async function copyTree(
  getter: BlockGetter,
  root: CID,
  destination: string,
  { signal, onProgress, sealed, pathBytes = Buffer.byteLength(destination) }: CopyOptions = {},
): Promise<CopyFigures> {
  const figures: CopyFigures = { files: 0, directories: 0, symlinks: 0, bytes: 0, leftOut: [] }
  const unsealed: { place: string; look: Stat }[] = []
  const around = new HeldDirectory(dirname(destination), { followLinks: true })
  // Listed as it is filled: a million names need not be in memory at once.
  const filling = new ListingStack<Filling>()
  const make = async ({ cid, path, name, into }: Todo) => {
    if (pathBytes + Buffer.byteLength(path) > MAX_PATH) {
      throw new PkgError(
        'UNSUPPORTED',
        `${cid} lies too deep: its path would have more than ${MAX_PATH} bytes`,
      )
    }
    const place = into.at(name)
    const target = sealed?.linkFor(path)
    if (target !== undefined) {
      symlinkSync(target, place)
      lutimesSync(place, 0, 0)
      figures.symlinks += 1
      return
    }
    const node = nodeOrReason(getter, cid)
    if (typeof node === 'string') {
      if (path === '') throw new PkgError('NOT_UNIXFS', node)
      figures.leftOut.push({ path: path.slice(1), why: node })
      return
    }
    if (node.type === 'file') {
      const lasting = destination + path
      await copyFile(getter, node, { place, lasting }, { figures, signal, onProgress, sealed })
    } else if (node.type === 'symlink') {
      symlinkSync(sealed?.shown(path, node.target) ?? node.target, place)
      if (sealed !== undefined) sealEntry(place, statOf(node))
      else if (node.mtime !== undefined) setTime(place, node.mtime)
      figures.symlinks += 1
    } else {
      mkdirSync(place)
      const made: Filling = { held: new HeldDirectory(place), path }
      if (sealed === undefined) made.mtime = node.mtime
      else unsealed.push({ place: destination + path, look: statOf(node) })
      figures.directories += 1
      const onUnusable = ({ name, why }: { name: string; why: string }) =>
        figures.leftOut.push({ path: `${path}/${name}`.slice(1), why: `its name ${why}` })
      filling.push(new Listing(getter, node, { onUnusable }), made)
    }
  }
  try {
    await make({ cid: root, path: '', name: basename(destination), into: around })
    onProgress?.(figures)
    let entries = 0
    for (let into = filling.top; into !== undefined; into = filling.top) {
      if (++entries % BREATH_ENTRIES === 0) await nextTurn()
      signal?.throwIfAborted()
      const entry = filling.next()
      if (entry === undefined) {
        filling.pop()
        finish(into)
        continue
      }
      const { name, cid } = entry
      await make({ cid, path: `${into.path}/${name}`, name, into: into.held })
      onProgress?.(figures)
    }
  } finally {
    for (let into = filling.top; into !== undefined; into = filling.top) {
      filling.pop()
      into.held.close()
    }
    around.close()
  }
  // Children first: a sealed directory takes none.
  for (const { place, look } of unsealed.reverse()) sealEntry(place, look)
  return figures
}

/** All its entries are made: each of them changed its time. */
function finish({ held, mtime }: Filling): void {
  try {
    if (mtime !== undefined) held.setTime(forUtimes(mtime))
  } finally {
    held.close()
  }
}

async function copyFile(
  getter: BlockGetter,
  node: FileNode,
  { place, lasting }: { place: string; lasting: string },
  { figures, signal, onProgress, sealed }: CopyOptions & { figures: CopyFigures },
): Promise<void> {
  if (sealed?.reuse(node, lasting)) {
    figures.files += 1
    figures.bytes += node.size
    return
  }
  const fd = openSync(place, 'wx', FILE_MODE | (statOf(node).mode & EXECUTABLE))
  try {
    let breath = 0
    for (const bytes of chunks(getter, node)) {
      writeAll(fd, bytes)
      figures.bytes += bytes.length
      breath += bytes.length
      if (breath < BREATH_BYTES) continue
      breath = 0
      onProgress?.(figures)
      await nextTurn()
      signal?.throwIfAborted()
    }
    figures.files += 1
    if (sealed !== undefined) sealFile(fd, node)
    else if (node.mtime !== undefined) futimesSync(fd, forUtimes(node.mtime), forUtimes(node.mtime))
  } finally {
    closeSync(fd)
  }
  sealed?.copied(node, lasting)
}

/** Gives an open file the mode and time that the mount shows. */
export function sealFile(fd: number, node: FileNode): void {
  const { mode, mtime } = statOf(node)
  fchmodSync(fd, mode)
  futimesSync(fd, forUtimes(mtime), forUtimes(mtime))
}

/** The same for a directory or symlink. */
export function sealEntry(place: string, { type, mode, mtime }: Stat): void {
  if (type === 'directory') chmodSync(place, mode)
  setTime(place, mtime)
}

/** The node, or why it is none of UnixFS's: its neighbours can be copied all the same. */
function nodeOrReason(getter: BlockGetter, cid: CID): UnixfsNode | string {
  try {
    return decodeNode(cid, getter.get(cid))
  } catch (error) {
    if (hasCode(error, 'NOT_UNIXFS')) return error.message
    throw error
  }
}

function setTime(place: string, mtime: Mtime): void {
  lutimesSync(place, forUtimes(mtime), forUtimes(mtime))
}
