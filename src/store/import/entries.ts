// Trees that are described and not on the disk: environments, registries, a
// manifest that a package gets. Checked by name before anything is written.

import { PkgError } from '../../errors.ts'
import { checkComponent } from '../../paths.ts'
import type { CID } from '../cid.ts'

/**
 * One thing in a tree; `path` is relative, with "/" between its components.
 * Directories on the way to it come about by themselves.
 */
export type TreeEntry =
  | { path: string; content: Uint8Array; executable?: boolean }
  | { path: string; link: string }
  | { path: string; directory: true }
  /** A DAG that is there already. `size`: the bytes of all its blocks (dag-pb's Tsize). */
  | { path: string; cid: CID; size: number }

export type EntryDirectory = { children: Map<string, EntryNode> }
export type EntryNode = EntryDirectory | Exclude<TreeEntry, { directory: true }>

export function isEntryDirectory(node: EntryNode): node is EntryDirectory {
  return 'children' in node
}

/**
 * The entries as a tree. A directory may be named more than once.
 * Throws BAD_NAME for a component that no directory can hold or a bad link
 * target, EXISTS when two entries are at one path, or one below another that is no directory.
 */
export function arrangeEntries(entries: Iterable<TreeEntry>): EntryDirectory {
  const root: EntryDirectory = { children: new Map() }
  for (const entry of entries) {
    const names = entry.path.split('/')
    for (const name of names) checkEntryName(name, entry.path)
    const last = names.pop()!
    const parent = names.reduce((directory, name) => enter(directory, name, entry.path), root)
    if ('directory' in entry) {
      enter(parent, last, entry.path)
      continue
    }
    if (parent.children.has(last)) throw twice(entry.path)
    if ('link' in entry) checkTarget(entry.link, entry.path)
    parent.children.set(last, entry)
  }
  return root
}

function enter(parent: EntryDirectory, name: string, path: string): EntryDirectory {
  const child = parent.children.get(name)
  if (child === undefined) {
    const made: EntryDirectory = { children: new Map() }
    parent.children.set(name, made)
    return made
  }
  if (isEntryDirectory(child)) return child
  throw twice(path)
}

function checkEntryName(name: string, path: string): void {
  checkComponent(name, `part of a path (${JSON.stringify(path.slice(0, 200))})`)
  if (!name.isWellFormed()) throw new PkgError('BAD_NAME', `${JSON.stringify(path)} is not valid Unicode`)
}

function checkTarget(target: string, path: string): void {
  if (target !== '' && !target.includes('\0') && target.isWellFormed()) return
  throw new PkgError('BAD_NAME', `${JSON.stringify(target)} cannot be the target of the symlink ${path}`)
}

function twice(path: string): PkgError {
  return new PkgError('EXISTS', `${path} is there twice, or is both a directory and something else`)
}
