// A process that adds and pins trees one after the other: argv is the prefix, a
// name, and how many. Prints the root of each tree once its pin was reported.

import { rmSync } from 'node:fs'
import { addPin, removePin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add.ts'
import { Store } from '../../src/store/store.ts'
import { tree } from './scenario.ts'

const [prefix, name, many] = process.argv.slice(2)
const store = Store.open(prefix!)
for (let index = 0; index < Number(many); index++) {
  // Every other tree is one that all adders have, and give up again: found present, dead, found again.
  const shared = index % 2 === 1
  const made = shared ? tree('shared', 20) : tree(`${name} ${index}`, 20)
  const all = [...made.dag.blocks.values()]
  await withAdd(store, async (add) => {
    for (let at = 0; at < all.length; at += 5) await add.put(all.slice(at, at + 5))
    await add.commit([made.root])
    await addPin(store, { prog: `${name}-${index}`, cid: made.root })
  })
  if (shared && index < Number(many) - 1) await removePin(store, { prog: `${name}-${index}` })
  else console.log(String(made.root))
}
store.close()
rmSync(`${prefix}/running-${name}`)
