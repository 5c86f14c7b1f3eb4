// A process of its own: child.ts <prefix> <cid> checks out, child.ts <prefix> collect collects.

import { runCollection } from '../../src/collector/collect.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { parseCid } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'

const [prefix = '', what = ''] = process.argv.slice(2)
const store = Store.open(prefix)
if (what === 'collect') await runCollection(store)
else {
  const cid = parseCid(what)
  await withAdd(store, async (add) => {
    await add.rely(cid)
    await checkOut(store, cid)
  })
}
store.close()
