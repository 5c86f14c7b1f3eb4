// Directories, plain and sharded: find one name, or list all of them.
// Names that no file system can show are left out, and no more than those: one
// bad name must not cost the rest of the listing (invariant 7).

import { PkgError } from '../../errors.ts'
import type { BlockGetter } from '../blocks.ts'
import { CID } from '../cid.ts'
import type { DagPbLink } from '../dag-pb.ts'
import { findInHamt, walkHamt } from './hamt.ts'
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

/** Names of a plain directory; made at its second look-up and dropped with the node. */
const indexes = new WeakMap<DirectoryNode, Map<string, CID>>()
const lookedInto = new WeakSet<DirectoryNode>()

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
  if (!lookedInto.has(node)) {
    lookedInto.add(node)
    return node.entries.find((entry) => entry.name === name)?.hash
  }
  let index = indexes.get(node)
  if (index === undefined) {
    index = new Map()
    // Backwards, so that the first of two entries with one name is what stays.
    for (const { name, hash } of node.entries.toReversed()) if (name !== undefined) index.set(name, hash)
    indexes.set(node, index)
  }
  return index.get(name)
}

/**
 * The entries in the order of the DAG, each name once; children are not read,
 * only the shards of a sharded directory are.
 * Throws NOT_DIRECTORY, BAD_NODE, NOT_UNIXFS, and what `getter` throws.
 */
export function* list(
  getter: BlockGetter,
  directory: CID | UnixfsNode,
  { onUnusable }: ListOptions = {},
): Generator<Entry> {
  const node = directoryNode(getter, directory)
  const names = new Set<string>()
  for (const { name, nameBytes, hash, tsize } of entriesOf(getter, node)) {
    const why = name === undefined ? 'is not UTF-8' : names.has(name) ? 'is there twice' : whyUnusable(name)
    if (why !== undefined) {
      onUnusable?.({ name: quote(name ?? Buffer.from(nameBytes ?? []).toString('latin1')), why, cid: hash })
      continue
    }
    // A sharded directory has one place for a name, so it needs no memory of them.
    if (node.type === 'directory') names.add(name as string)
    yield { name: name as string, cid: hash, tsize }
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

function entriesOf(getter: BlockGetter, node: DirectoryNode | HamtNode): Iterable<DagPbLink> {
  return node.type === 'hamt' ? walkHamt(getter, node) : node.entries
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
