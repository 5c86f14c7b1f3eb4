// A process that publishes: publish-child.ts <prefix> <registry> <cid>…

import { publish } from '../../src/registry/publish.ts'
import { parseCid } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'

const [prefix = '', registry = '', ...cids] = process.argv.slice(2)
const store = Store.open(prefix)
for (const cid of cids) await publish(store, registry, parseCid(cid))
store.close()
