// Runs a collection as a process of its own, and dies at a named point as by
// `kill -9`: argv is the prefix and the point, or the prefix alone.

import { runCollection } from '../../src/pins/collect.ts'
import { Store } from '../../src/store/store.ts'

const [prefix, dieAt] = process.argv.slice(2)
const store = Store.open(prefix!)
const result = await runCollection(
  store,
  { keep: 1 },
  {
    at: (point) => {
      if (point === dieAt) process.kill(process.pid, 'SIGKILL')
    },
  },
)
console.log(JSON.stringify({ blocks: result.blocks, unreadable: result.unreadable.length }))
store.close()
