// A process that changes registries:
//   child.ts publish <prefix> <registry> <cid>…
//   child.ts update <prefix>

import { publish } from '../../src/registry/publish.ts'
import { updateRegistry } from '../../src/registry/update.ts'
import { parseCid } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'

const [action, prefix = '', registry = '', ...cids] = process.argv.slice(2)
const store = Store.open(prefix)
if (action === 'update') await updateRegistry(store)
for (const cid of cids) await publish(store, registry, parseCid(cid))
store.close()
