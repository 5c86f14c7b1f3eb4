// Paths of a package's DAG, as the kernel would walk them: where one really is, and which
// shared libraries there are. Reads blocks only.

import { posix } from 'node:path'
import { hasCode } from '../errors.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import { type CID, nodeKey, RAW } from '../store/cid.ts'
import { list } from '../store/unixfs/directory.ts'
import type { UnixfsNode } from '../store/unixfs/node.ts'
import { decodeNode } from '../store/unixfs/node.ts'
import { type Resolved, resolvePath } from '../store/unixfs/resolve.ts'

/** Entries that are looked through for libraries: more than any package has; beyond them nothing is known. */
const MAX_ENTRIES = 500_000

/** What `path` leads to inside the DAG; undefined where it leads nowhere, or out of it. */
export function placeAt(blocks: BlockGetter, root: CID, path: string): Resolved | undefined {
  try {
    return resolvePath(blocks, root, path, { followLinks: true, dots: true })
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
