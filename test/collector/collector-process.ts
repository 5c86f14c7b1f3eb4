// Runs a collection as a process of its own. argv is the prefix; then the point at
// which it dies as by `kill -9`, or ''; then the point at which it says so and waits
// until its standard input has something.

import { once } from 'node:events'
import { runCollection } from '../../src/collector/collect.ts'
import { Store } from '../../src/store/store.ts'

const [prefix, dieAt, waitAt] = process.argv.slice(2)
const store = Store.open(prefix!)
let waited = false
const result = await runCollection(
  store,
  { keep: 1 },
  {
    at: async (point) => {
      if (point === dieAt) process.kill(process.pid, 'SIGKILL')
      if (point !== waitAt || waited) return
      waited = true
      console.log(point)
      await once(process.stdin, 'data')
      process.stdin.destroy()
    },
  },
)
console.log(JSON.stringify({ blocks: result.blocks, unreadable: result.unreadable.length }))
store.close()
