// Where a command takes a DAG: a CID in any spelling with a path below it, a path
// into the store, or a symlink that leads there. Names of packages are not meant.

import { PkgError } from '../errors.ts'
import { parseSpec } from '../registry/spec.ts'
import { followPath } from '../registry/store-path.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { resolvePath } from '../store/unixfs/resolve.ts'

/** The CID that `text` leads to. Throws BAD_CID, NOT_FOUND, NOT_DIRECTORY, and what reading blocks throws. */
export function resolveDag(store: Store, text: string): CID {
  const spec = parseSpec(text)
  // Without a path nothing is read: the DAG may be of any codec, or not here.
  if (spec.kind === 'cid' && spec.path === '') return spec.cid
  if (spec.kind === 'cid') return resolvePath(store.blocks, spec.cid, spec.path, { followLinks: true }).cid
  const place = spec.kind === 'path' ? followPath(store.blocks, store.paths, spec.path) : undefined
  if (place && 'cid' in place) return place.cid
  throw new PkgError(
    'BAD_CID',
    `${JSON.stringify(text)} is neither a CID nor a path into ${store.paths.store}`,
    {
      hint: 'A file or directory gets a CID by `pkg store add`.',
    },
  )
}

/**
 * As `resolveDag`, for something that is to be read. Throws NOT_FOUND when its root block is not here,
 * MISSING_BLOCK when it was found damaged.
 */
export function resolveHeldDag(store: Store, text: string): CID {
  const cid = resolveDag(store, text)
  if (store.blocks.has(cid)) return cid
  if (store.blocks.isQuarantined(cid)) throw store.blocks.absent(cid)
  throw new PkgError('NOT_FOUND', `${cid} is not in ${store.paths.root}`, {
    hint: 'Add or import it first: pkg store add, pkg store import.',
  })
}
