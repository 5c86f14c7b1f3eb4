// A collection as a process of its own, which waits for a line of input before its
// first batch of deletes, after it has looked at all roots. argv: the prefix.

import { once } from 'node:events'
import { runCollection } from '../../src/collector/collect.ts'
import { Store } from '../../src/store/store.ts'

const store = Store.open(process.argv[2]!)
let waited = false
const { blocks } = await runCollection(
  store,
  {},
  {
    graceMs: 0,
    at: async (point) => {
      if (waited || point !== 'looked-again') return
      waited = true
      console.log('stopped')
      await once(process.stdin, 'data')
    },
  },
)
console.log(JSON.stringify({ blocks }))
store.close()
process.stdin.destroy()
