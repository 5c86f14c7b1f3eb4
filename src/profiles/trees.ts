// Where the store is not mounted, a profile's programs need real trees: they are made
// before the link that leads to them (invariant 4: blocks, trees, link).

import { storeMode } from '../mount/mode.ts'
import { type CheckOutOptions, checkOut } from '../store/checkout/check-out.ts'
import type { CID } from '../store/cid.ts'
import type { ProfileStore } from './profile.ts'

/**
 * Returns when what is called by this CID can be run: at once where the store is, or
 * can be, mounted; else when it and the packages that it links to are checked out.
 * A look each where they are. The caller protects the DAG. Throws as `checkOut`.
 */
export async function ensureTrees(
  store: ProfileStore,
  cid: CID,
  options: CheckOutOptions = {},
): Promise<void> {
  if (storeMode(store.paths) === 'checkout') await checkOut(store, cid, options)
}
