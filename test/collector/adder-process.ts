// A process in which several adders add and pin trees at once, until a file says
// that it is enough: argv is the prefix, the process's name, how many adders, and
// that file. Prints the root of each tree once its pin was reported.

import { existsSync } from 'node:fs'
import { addPin, removePin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { Store } from '../../src/store/store.ts'
import { tree } from './scenario.ts'

const [prefix, name, many, enough] = process.argv.slice(2)
const store = Store.open(prefix!)

async function pinned(made: ReturnType<typeof tree>, prog: string): Promise<void> {
  const all = [...made.dag.blocks.values()]
  await withAdd(store, async (add) => {
    for (let at = 0; at < all.length; at += 5) await add.put(all.slice(at, at + 5))
    await add.commit([made.root])
    await addPin(store, { prog, cid: made.root })
  })
}

async function adder(id: string): Promise<void> {
  for (let index = 0; index === 0 || !existsSync(enough!); index++) {
    const own = tree(`${id} ${index}`, 10)
    await pinned(own, `${id}-${index}`)
    console.log(String(own.root))
    // One that all have and give up again: found present, dead, found again.
    await pinned(tree('shared', 10), `shared-${id}`)
    await removePin(store, { prog: `shared-${id}` })
  }
  const last = tree('shared', 10)
  await pinned(last, `last-${id}`)
  console.log(String(last.root))
}

await Promise.all(Array.from({ length: Number(many) }, (_, index) => adder(`${name}-${index}`)))
store.close()
