// DAGs as somebody else's tools make them: through @helia/unixfs, with their own
// chunk sizes, modes, times, CID versions and HAMT settings.

import { unixfs } from '@helia/unixfs'
import { AddSession } from '../../src/store/add/add.ts'
import { VerifiedBlockstore } from '../../src/store/blocks/blockstore.ts'
import type { CID } from '../../src/store/cid.ts'
import type { Store } from '../../src/store/store.ts'

export type ForeignEntry =
  | { path: string; content: Uint8Array; mode?: number; mtime?: { secs: bigint; nsecs?: number } }
  | { path: string; link: string }
  | { path: string; mode?: number; mtime?: { secs: bigint; nsecs?: number } }

type ForeignOptions = Parameters<ReturnType<typeof unixfs>['addAll']>[1]

/** The root of a directory with these entries. Nothing keeps it from a collector. */
export async function addForeign(
  store: Store,
  entries: Iterable<ForeignEntry>,
  options: ForeignOptions = {},
): Promise<CID> {
  const add = new AddSession(store)
  try {
    const fs = unixfs({ blockstore: new VerifiedBlockstore(store, add.writer) })
    let root: CID | undefined
    for await (const { cid } of fs.addAll([...entries], { wrapWithDirectory: true, ...options })) root = cid
    if (!root) throw new Error('nothing to add')
    return root
  } finally {
    add.close()
  }
}
