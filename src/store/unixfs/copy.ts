// Writes a UnixFS tree as real files into a place that does not exist yet.
// Entries are made with names that `list` let through, each once, in directories
// made just now: so none is written through a symlink (invariant 7).

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
import { setImmediate } from 'node:timers/promises'
import { hasCode, PkgError } from '../../errors.ts'
import { writeAll } from '../../files/atomic.ts'
import type { BlockGetter } from '../blocks.ts'
import type { CID } from '../cid.ts'
import type { Mtime } from './data.ts'
import { list } from './directory.ts'
import { decodeNode, type FileNode, type UnixfsNode } from './node.ts'
import { chunks } from './read.ts'
import { statOf } from './stat.ts'

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
}

/** Where a sealed copy may save work. Paths of the tree begin with a slash. */
export type SealedCopy = {
  /** Makes the sealed file at `place` by other means; false when it is to be copied. */
  reuse(node: FileNode, place: string): boolean
  /** Told of each file that was copied, sealed. */
  copied(node: FileNode, place: string): void
  /** The target of a symlink that stands for what lies at `path`; undefined for a copy. */
  linkFor(path: string): string | undefined
}

/** A node that waits for its turn. `path` is below the root, '' for the root itself. */
type Todo = { cid: CID; path: string }

/** Throws BAD_NODE, UNSUPPORTED (a path too long) and what `getter` and the disk throw; what was written stays. */
export async function copyTree(
  getter: BlockGetter,
  root: CID,
  destination: string,
  { signal, onProgress, sealed }: CopyOptions = {},
): Promise<CopyFigures> {
  const figures: CopyFigures = { files: 0, directories: 0, symlinks: 0, bytes: 0, leftOut: [] }
  const unsealed: { place: string; node: UnixfsNode }[] = []
  const times: { place: string; mtime: Mtime }[] = []
  const todo: Todo[] = [{ cid: root, path: '' }]
  let entries = 0
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (++entries % BREATH_ENTRIES === 0) await setImmediate()
    signal?.throwIfAborted()
    const { cid, path } = next
    const place = destination + path
    if (Buffer.byteLength(place) > MAX_PATH) {
      throw new PkgError(
        'UNSUPPORTED',
        `${cid} lies too deep: its path would have more than ${MAX_PATH} bytes`,
      )
    }
    const target = sealed?.linkFor(path)
    if (target !== undefined) {
      symlinkSync(target, place)
      lutimesSync(place, 0, 0)
      figures.symlinks += 1
      continue
    }
    const node = nodeOrReason(getter, cid)
    if (typeof node === 'string') {
      if (path === '') throw new PkgError('NOT_UNIXFS', node)
      figures.leftOut.push({ path: path.slice(1), why: node })
    } else if (node.type === 'file') {
      await copyFile(getter, node, place, { figures, signal, onProgress, sealed })
    } else if (node.type === 'symlink') {
      symlinkSync(node.target, place)
      figures.symlinks += 1
    } else {
      todo.push(...enterDirectory(getter, node, next, place, figures))
    }
    if (typeof node === 'string') continue
    if (sealed !== undefined && node.type !== 'file') unsealed.push({ place, node })
    if (sealed === undefined && node.mtime !== undefined) times.push({ place, mtime: node.mtime })
    onProgress?.(figures)
  }
  // Children first: making one changes its directory's time, and a sealed directory takes none.
  for (const { place, node } of unsealed.reverse()) sealEntry(place, node)
  for (const { place, mtime } of times.reverse()) setTime(place, mtime)
  return figures
}

function enterDirectory(
  getter: BlockGetter,
  node: UnixfsNode,
  { path }: Todo,
  place: string,
  figures: CopyFigures,
): Todo[] {
  mkdirSync(place)
  figures.directories += 1
  const children: Todo[] = []
  const onUnusable = ({ name, why }: { name: string; why: string }) =>
    figures.leftOut.push({ path: `${path}/${name}`.slice(1), why: `its name ${why}` })
  for (const { name, cid } of list(getter, node, { onUnusable }))
    children.push({ cid, path: `${path}/${name}` })
  return children
}

async function copyFile(
  getter: BlockGetter,
  node: FileNode,
  place: string,
  { figures, signal, onProgress, sealed }: CopyOptions & { figures: CopyFigures },
): Promise<void> {
  if (sealed?.reuse(node, place)) {
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
      await setImmediate()
      signal?.throwIfAborted()
    }
    figures.files += 1
    if (sealed !== undefined) sealFile(fd, node)
  } finally {
    closeSync(fd)
  }
  sealed?.copied(node, place)
}

/** Gives an open file the mode and time that the mount shows. */
export function sealFile(fd: number, node: FileNode): void {
  const { mode, mtime } = statOf(node)
  fchmodSync(fd, mode)
  futimesSync(fd, toSeconds(mtime), toSeconds(mtime))
}

/** The same for a directory or symlink. */
export function sealEntry(place: string, node: UnixfsNode): void {
  const { type, mode, mtime } = statOf(node)
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
  lutimesSync(place, toSeconds(mtime), toSeconds(mtime))
}

function toSeconds({ seconds, nanoseconds }: Mtime): number {
  return seconds + nanoseconds / 1e9
}
