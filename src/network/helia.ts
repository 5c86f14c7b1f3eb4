// Helia over our block files, without a network: what it adds is in our store and
// protected by a temp pin, what we added it reads. The only module that loads
// `helia`. createHelia() would listen on 0.0.0.0, map ports by UPnP and dial public
// bootstrap nodes; the light node here has no libp2p, no gateways and no routers.

import { createHeliaLight, type Helia } from 'helia'
import { PkgError } from '../errors.ts'
import type { AddSession } from '../store/add/add.ts'
import { VerifiedBlockstore } from '../store/blocks/blockstore.ts'
import { missingBlock } from '../store/blocks/quarantine.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'

/** A started node and the add session that protects what it writes, until `close`. */
export type HeliaNode = {
  helia: Helia
  /** `commit` it before a link is written, as with every add. */
  add: AddSession
  /** Stops the node, then ends the protection. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens an offline Helia over the store. Reading a block that is not here fails at
 * once, with our MISSING_BLOCK among the causes. Helia's own pins know nothing of our
 * roots, so its `gc` and `delete` are refused with UNSUPPORTED.
 */
export async function openHelia(store: Store): Promise<HeliaNode> {
  const add = store.openAdd()
  try {
    await add.begin()
    const helia = createHeliaLight({
      blockstore: new SessionBlockstore(store, add),
      blockBrokers: [nowhere],
    })
    await helia.start()
    return {
      helia,
      add,
      close: () =>
        helia
          .stop()
          .then(() => add.finish())
          .finally(() => add.close())
          .then(() => undefined),
    }
  } catch (error) {
    add.close()
    throw error
  }
}

/** The broker that is asked for a block that is not here. Without one Helia calls it a mistake of configuration. */
const nowhere = {
  name: 'offline',
  async retrieve(cid: CID): Promise<Uint8Array> {
    throw missingBlock(cid)
  },
}

/**
 * Helia asks `has` before each put and leaves the put out when the block is there.
 * So `has` is where such a block enters the temp pin, before it is looked for, in the
 * order that the writer keeps too (store/add/writer.ts).
 */
class SessionBlockstore extends VerifiedBlockstore {
  readonly #add: AddSession

  constructor(store: Store, add: AddSession) {
    super(store, add.writer)
    this.#add = add
  }

  override has(cid: CID): Promise<boolean> {
    return this.#add.has(cid)
  }

  override async delete(cid: CID): Promise<void> {
    throw new PkgError(
      'UNSUPPORTED',
      `Helia may not delete block ${cid}: it does not know the store's roots`,
      {
        hint: 'Unpin it, and run `pkg gc`.',
      },
    )
  }
}
