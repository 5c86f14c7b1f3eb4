// Writes a UnixFS tree as real files into a place that does not exist yet.
// Entries are made with names that `list` let through, each once, in directories
// made just now: so none is written through a symlink (invariant 7).

import { closeSync, lutimesSync, mkdirSync, openSync, symlinkSync } from 'node:fs'
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

export type CopyOptions = { signal?: AbortSignal; onProgress?: (figures: CopyFigures) => void }

/** A node that waits for its turn. `path` is below the root, '' for the root itself. */
type Todo = { cid: CID; path: string }

/** Throws BAD_NODE, UNSUPPORTED (a path too long) and what `getter` and the disk throw; what was written stays. */
export async function copyTree(
  getter: BlockGetter,
  root: CID,
  destination: string,
  { signal, onProgress }: CopyOptions = {},
): Promise<CopyFigures> {
  const figures: CopyFigures = { files: 0, directories: 0, symlinks: 0, bytes: 0, leftOut: [] }
  const times: { place: string; mtime: Mtime }[] = []
  const todo: Todo[] = [{ cid: root, path: '' }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    signal?.throwIfAborted()
    const { cid, path } = next
    const place = destination + path
    if (Buffer.byteLength(place) > MAX_PATH) {
      throw new PkgError(
        'UNSUPPORTED',
        `${cid} lies too deep: its path would have more than ${MAX_PATH} bytes`,
      )
    }
    const node = nodeOrReason(getter, cid)
    if (typeof node === 'string') {
      if (path === '') throw new PkgError('NOT_UNIXFS', node)
      figures.leftOut.push({ path: path.slice(1), why: node })
    } else if (node.type === 'file') {
      await copyFile(getter, node, place, { figures, signal, onProgress })
    } else if (node.type === 'symlink') {
      symlinkSync(node.target, place)
      figures.symlinks += 1
    } else {
      todo.push(...enterDirectory(getter, node, next, place, figures))
    }
    if (typeof node !== 'string' && node.mtime !== undefined) times.push({ place, mtime: node.mtime })
    onProgress?.(figures)
  }
  // Children first: making one changes its directory's time.
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
  { figures, signal, onProgress }: CopyOptions & { figures: CopyFigures },
): Promise<void> {
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
  } finally {
    closeSync(fd)
  }
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

function setTime(place: string, { seconds, nanoseconds }: Mtime): void {
  const time = seconds + nanoseconds / 1e9
  lutimesSync(place, time, time)
}
