// Damage that a collection must not make worse. Below a damaged node lies what
// nobody can see while its links are not known: it looks dead, and is what adding
// one block again would make whole (invariant 2). So a collection stops.
//
// A node that is merely missing is another thing: a part of a DAG is legal to pin.
// What tells the two apart is the quarantine, where damaged files are put.

import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { why } from '../pins/why.ts'
import { blockFile } from '../store/blocks/shards.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import type { Marker } from './mark.ts'

/** True when a damaged file of this block was put away; see `Blocks.quarantine` for its names. */
export function isQuarantined(paths: Pick<PrefixPaths, 'blocks' | 'quarantine'>, cid: CID): boolean {
  const name = basename(blockFile(paths.blocks, cid))
  try {
    return readdirSync(paths.quarantine).some((away) => away === name || away.startsWith(`${name}-`))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * Returns when no root reaches a damaged node, as far as the mark has come. Throws
 * CORRUPT_BLOCK naming the node, and the root that reaches it.
 */
export async function refuseDamage(store: Store, { damaged }: Pick<Marker, 'damaged'>): Promise<void> {
  const first = damaged[0]
  if (first === undefined) return
  const reached = (await why(store, first))[0]?.root
  const root = reached === undefined ? 'a root' : `${reached.path} (${reached.name}, ${reached.cid})`
  const others = damaged.length > 1 ? `, and ${damaged.length - 1} more` : ''
  throw new PkgError(
    'CORRUPT_BLOCK',
    `block ${first}, which ${root} reaches, is damaged${others}: what lies below it is not known, so nothing is deleted`,
    {
      hint: 'Add the content again (`pkg store add`, `pkg store import`), or give up what only damaged blocks lead to: `pkg gc --despite-damage`.',
    },
  )
}
