// Packages that a DAG links to as a whole: an environment's, and a package's
// dependencies. Their checkouts lie beside its own, and symlinks lead there: so a new generation costs its own few links, and a package that many
// depend on is there once (a diamond of packages would else double at each level).

import { hasCode } from '../../errors.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import { type CID, RAW } from '../cid.ts'
import { list, lookup } from '../unixfs/directory.ts'
import { decodeNode, type UnixfsNode } from '../unixfs/node.ts'
import { checkoutName } from './names.ts'

/** Where such links are, and the file by which one knows (profiles/environment.ts, packages/package.ts). */
export const LINK_PLACES = [
  { mark: 'environment.json', directory: 'packages' },
  { mark: '.pkg/manifest.json', directory: '.pkg/dependencies' },
] as const

/** The linked directories by their path below the root, which begins with a slash. Throws as reading blocks does. */
export function siblingsOf(getter: BlockGetter, root: CID): Map<string, CID> {
  const found = new Map<string, CID>()
  const top = directoryAt(getter, root)
  if (top === undefined) return found
  for (const { mark, directory } of LINK_PLACES) {
    if (descend(getter, top, mark) === undefined) continue
    const place = descend(getter, top, directory)
    const node = place && directoryAt(getter, place)
    if (node === undefined) continue
    for (const { name, cid } of list(getter, node)) {
      if (directoryAt(getter, cid) !== undefined) found.set(`/${directory}/${name}`, cid.toV1())
    }
  }
  return found
}

/** The target of the symlink at `path` that leads to the checkout of `cid`, before it is shown (shown-target.ts). */
export function siblingTarget(path: string, cid: CID): string {
  return '../'.repeat(path.split('/').length - 1) + checkoutName(cid)
}

function descend(getter: BlockGetter, top: UnixfsNode, path: string): CID | undefined {
  let node: UnixfsNode | undefined = top
  let cid: CID | undefined
  for (const name of path.split('/')) {
    cid = node && lookup(getter, node, name)
    if (cid === undefined) return undefined
    node = directoryAt(getter, cid)
  }
  return cid
}

/** Undefined for what is no directory, and for what is not UnixFS. */
function directoryAt(getter: BlockGetter, cid: CID): UnixfsNode | undefined {
  if (cid.code === RAW) return undefined
  const node = decodeUnixfs(getter, cid)
  return node?.type === 'directory' || node?.type === 'hamt' ? node : undefined
}

/** Undefined for what is not UnixFS. Throws as reading blocks does. */
export function decodeUnixfs(getter: BlockGetter, cid: CID): UnixfsNode | undefined {
  try {
    return decodeNode(cid, getter.get(cid))
  } catch (error) {
    if (hasCode(error, 'NOT_UNIXFS')) return undefined
    throw error
  }
}
