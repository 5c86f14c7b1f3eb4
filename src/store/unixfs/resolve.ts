// From a root and a path to a node. Symlinks are followed only inside the DAG,
// and only when asked for: a path can never leave its root (invariant 7).

import { PkgError } from '../../errors.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import type { CID } from '../cid.ts'
import { lookup } from './directory.ts'
import { decodeNode, type UnixfsNode } from './node.ts'

/** Symlinks met on one path, at most (MAXSYMLINKS of the Linux kernel, namei.h). */
const MAX_SYMLINKS = 40

/** `path` is that from the root, with no symlink on it that was followed. */
export type Resolved = { path: string; cid: CID; node: UnixfsNode }

export type ResolveOptions = {
  /** follow symlinks, the last component's too, as long as they stay below the root */
  followLinks?: boolean
  /** '.' and '..' in `path` mean what they mean in symlinks' targets */
  dots?: boolean
}

/**
 * What lies at `path` (components divided by slashes; empty ones do not count)
 * below `root`. '.' and '..' mean something only inside symlinks' targets.
 * Throws NOT_FOUND, NOT_DIRECTORY, BAD_NODE, NOT_UNIXFS, and what `getter` throws.
 */
export function resolvePath(
  getter: BlockGetter,
  root: CID,
  path: string,
  { followLinks = false, dots = false }: ResolveOptions = {},
): Resolved {
  // The nodes from the root down to where we are: '..' in a target goes back up.
  const trail: Resolved[] = [{ path: '', cid: root, node: decodeNode(root, getter.get(root)) }]
  const todo = components(path)
    .map((name) => ({ name, fromLink: dots }))
    .reverse()
  let links = 0
  for (let step = todo.pop(); step !== undefined; step = todo.pop()) {
    const here = trail.at(-1) as Resolved
    if (step.fromLink && step.name === '.') continue
    if (step.fromLink && step.name === '..') {
      if (trail.length === 1) throw notFound(root, path, 'a symlink on it leads out of the DAG')
      trail.pop()
      continue
    }
    const next = child(getter, here, step.name, root, path)
    if (!followLinks || next.node.type !== 'symlink') {
      trail.push(next)
      continue
    }
    if (++links > MAX_SYMLINKS)
      throw notFound(root, path, `it goes through more than ${MAX_SYMLINKS} symlinks`)
    if (next.node.target.startsWith('/')) throw notFound(root, path, 'a symlink on it leads out of the DAG')
    for (const name of components(next.node.target).reverse()) todo.push({ name, fromLink: true })
  }
  return trail.at(-1) as Resolved
}

function child(
  getter: BlockGetter,
  { node, path: above }: Resolved,
  name: string,
  root: CID,
  path: string,
): Resolved {
  if (node.type !== 'directory' && node.type !== 'hamt') {
    throw new PkgError(
      'NOT_DIRECTORY',
      `${root}/${path}: ${JSON.stringify(name)} is looked for in a ${node.type}`,
    )
  }
  const cid = lookup(getter, node, name)
  if (cid === undefined) throw notFound(root, path, `there is no ${JSON.stringify(name.slice(0, 80))}`)
  return { path: above === '' ? name : `${above}/${name}`, cid, node: decodeNode(cid, getter.get(cid)) }
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}

function notFound(root: CID, path: string, why: string): PkgError {
  return new PkgError('NOT_FOUND', `${root}/${path.slice(0, 400)} does not exist: ${why}`)
}
