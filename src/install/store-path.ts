// From a path that a user names to a place in the store: a path below the mount,
// or a symlink anywhere (a profile's bin/x, a registry's root) that leads there.
// The mount itself is never touched: what lies below it is looked up in the DAG, so
// this works without a mount, and cannot wait for one (invariant 8).

import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { storeSpellings } from '../pins/resolve-link.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import { lookup } from '../store/unixfs/directory.ts'
import { decodeNode, type UnixfsNode } from '../store/unixfs/node.ts'

/** As many symlinks as Linux follows on one path (MAXSYMLINKS, namei.h). */
const MAX_SYMLINKS = 40

/** What lies at a path of the store: `root` is the CID right below the mount, `cid` what `path` leads to. */
export type StorePlace = { root: CID; path: string; cid: CID; node: UnixfsNode }

/** Where a path leads outside of the store: an ordinary file or directory, without symlinks on it. */
export type OtherPlace = { file: string }

/**
 * Follows `path` (relative to the working directory) to its end, all symlinks
 * included, also those inside DAGs that lead to other DAGs.
 * Throws NOT_FOUND, NOT_DIRECTORY, and what `getter` throws.
 */
export function followPath(
  getter: BlockGetter,
  paths: Pick<PrefixPaths, 'root' | 'store'>,
  path: string,
): StorePlace | OtherPlace {
  const mountPoints = storeSpellings(paths)
  const todo = components(resolve(path))
  // Below the mount: the nodes from the root down to `here`.
  let trail: { cid: CID; name: string; node: UnixfsNode }[] = []
  let here = '/'
  let links = 0
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '.') continue
    const next = name === '..' ? dirname(here) : join(here, name)
    let target: string | undefined
    if (name === '..') {
      trail.pop()
    } else if (mountPoints.includes(here) || trail.length > 0) {
      const child = inDag(trail.at(-1)?.node, name)
      if (child.node.type === 'symlink') target = child.node.target
      else trail.push({ ...child, name })
    } else if (!mountPoints.includes(next)) {
      // To look at the mount point would ask the mount server: it is known by its name.
      target = linkTarget(next)
    }
    if (target === undefined) here = next
    else follow(target)
  }
  const [root, ...below] = trail
  const last = trail.at(-1)
  if (!root || !last) return { file: here }
  return { root: root.cid, path: below.map(({ name }) => name).join('/'), cid: last.cid, node: last.node }

  function inDag(parent: UnixfsNode | undefined, name: string): { cid: CID; node: UnixfsNode } {
    const cid = parent ? lookup(getter, parent, name) : tryParseCid(name)
    if (!cid) throw notFound(parent ? `there is no ${JSON.stringify(name)}` : `${name} is not a CID`)
    return { cid, node: decodeNode(cid, getter.get(cid)) }
  }

  function follow(target: string): void {
    if (++links > MAX_SYMLINKS) throw notFound(`it goes through more than ${MAX_SYMLINKS} symlinks`)
    if (target.startsWith('/')) {
      here = '/'
      trail = []
    }
    todo.push(...components(target))
  }

  /** undefined for what is no symlink. */
  function linkTarget(file: string): string | undefined {
    try {
      return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : undefined
    } catch (cause) {
      if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
      throw notFound(`there is no ${file}`, cause)
    }
  }

  function notFound(why: string, cause?: unknown): PkgError {
    return new PkgError('NOT_FOUND', `${path} leads nowhere: ${why}`, { cause })
  }
}

/** Last first: a stack of what is still to do. */
function components(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '')
    .reverse()
}
