// What the tree keeps of a directory that was entered, and of each name in it.

import { PkgError } from '../errors.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import type { Entry } from '../store/unixfs/directory.ts'
import type { DirectoryNode, HamtNode } from '../store/unixfs/node.ts'
import type { Stat } from '../store/unixfs/stat.ts'
import type { WideListing } from './listing.ts'

/** What a child takes, in bytes. */
const CHILD_BYTES = 600

export type Child = {
  readonly name: string
  readonly cid: CID
  /** the writer's claim, in bytes */
  readonly tsize: number | undefined
  /** place in the directory's listing; -1 when that is not known */
  readonly index: number
  stat: Stat | undefined
  /** settles when `stat` is known or cannot be had cheaply */
  pending: Promise<unknown> | undefined
}

export type Directory = {
  readonly path: string
  byName: ReadonlyMap<string, Child>
  /** all children in listing order, once they are known */
  children: readonly Child[] | undefined
  /** where the children are, while they are not known; of sharded directories the top shard */
  node: DirectoryNode | HamtNode | undefined
  listing: Promise<readonly Child[] | WideListing> | undefined
  lookups: number
}

/** A root by any spelling of its CID. Throws NOT_FOUND for what is none. */
export function rootChild(name: string): Child {
  const cid = tryParseCid(name)
  if (cid === undefined) throw new PkgError('NOT_FOUND', `${JSON.stringify(name.slice(0, 80))} is not a CID`)
  return toChild({ name, cid })
}

/** Of an entry of a directory, by its place in the listing where that is known. */
export function toChild(
  { name, cid, tsize }: Pick<Entry, 'name' | 'cid'> & Partial<Entry>,
  index = -1,
): Child {
  return { name, cid, tsize, index, stat: undefined, pending: undefined }
}

/** As children. An empty directory costs memory, too. */
export function weight({ byName, node }: Directory): number {
  const held = node?.type === 'directory' ? Math.ceil(node.entries.weight / CHILD_BYTES) : 0
  return byName.size + held + 1
}

export function notFound({ path }: Directory, name: string): PkgError {
  return new PkgError('NOT_FOUND', `${path.slice(0, 400)} has no ${JSON.stringify(name.slice(0, 80))}`)
}
