// Paths of a package's DAG, as the kernel would walk them: where one really is, and which
// shared libraries there are. Reads blocks only.

import { posix } from 'node:path'
import { hasCode } from '../errors.ts'
import type { BlockGetter } from '../store/blocks.ts'
import { type CID, nodeKey, RAW } from '../store/cid.ts'
import { list } from '../store/unixfs/directory.ts'
import type { UnixfsNode } from '../store/unixfs/node.ts'
import { decodeNode } from '../store/unixfs/node.ts'
import { resolvePath } from '../store/unixfs/resolve.ts'

/** Symlinks on one path, at most (MAXSYMLINKS, namei.h). */
const MAX_LINKS = 40
/** Entries that are looked through for libraries: more than any package has; beyond them nothing is known. */
const MAX_ENTRIES = 500_000

/** `path` has no symlink on it. */
export type Place = { path: string; cid: CID; node: UnixfsNode }

/** What `path` leads to inside the DAG; undefined where it leads nowhere, or out of it. */
export function placeAt(blocks: BlockGetter, root: CID, path: string): Place | undefined {
  let done: string[] = []
  const todo = path.split('/').reverse()
  let place: Place = { path: '', cid: root, node: decodeNode(root, blocks.get(root)) }
  let links = 0
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (done.length === 0) return undefined
      done = done.slice(0, -1)
      continue
    }
    const found = entryAt(blocks, root, [...done, name].join('/'))
    if (found === undefined) return undefined
    if (found.node.type !== 'symlink') {
      done.push(name)
      place = found
      continue
    }
    if (++links > MAX_LINKS || found.node.target.startsWith('/')) return undefined
    todo.push(...found.node.target.split('/').reverse())
  }
  return done.join('/') === place.path ? place : entryAt(blocks, root, done.join('/'))
}

function entryAt(blocks: BlockGetter, root: CID, path: string): Place | undefined {
  try {
    return { path, ...resolvePath(blocks, root, path) }
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'NOT_DIRECTORY', 'NOT_UNIXFS')) return undefined
    throw error
  }
}

/** Name → a path of each shared library in the DAG; undefined where there is too much to look through. */
export function sharedLibraries(blocks: BlockGetter, root: CID): Map<string, string> | undefined {
  const found = new Map<string, string>()
  const seen = new Set<string>()
  const waiting = [{ cid: root, path: '' }]
  let entries = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const node = directoryAt(blocks, next.cid)
    if (node === undefined || seen.has(nodeKey(next.cid))) continue
    seen.add(nodeKey(next.cid))
    for (const { name, cid } of list(blocks, node)) {
      if (++entries > MAX_ENTRIES) return undefined
      const path = posix.join(next.path, name)
      if (/\.so(?:\.|$)/.test(name) && !found.has(name)) found.set(name, path)
      waiting.push({ cid, path })
    }
  }
  return found
}

/** The entries of the directory at `path`; none where there is no directory. */
export function namesAt(blocks: BlockGetter, root: CID, path: string): string[] {
  const place = placeAt(blocks, root, path)
  const node = place && directoryAt(blocks, place.cid)
  return node === undefined ? [] : Array.from(list(blocks, node), ({ name }) => name).sort()
}

function directoryAt(
  blocks: BlockGetter,
  cid: CID,
): (UnixfsNode & { type: 'directory' | 'hamt' }) | undefined {
  if (cid.code === RAW) return undefined
  try {
    const node = decodeNode(cid, blocks.get(cid))
    return node.type === 'directory' || node.type === 'hamt' ? node : undefined
  } catch (error) {
    if (hasCode(error, 'NOT_UNIXFS')) return undefined
    throw error
  }
}
