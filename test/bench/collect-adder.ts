// Adds small DAGs one after the other until a file is there; prints how long each
// took, in ms, as JSON. argv: prefix, a name, that file. Half of what it adds is new,
// half is there already. Whatever waits for the disk is left out: it would hide what
// waits for the collector.

import { existsSync } from 'node:fs'
import { addPin, removePin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { packLinks } from '../../src/store/links/packed-links.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'

const LEAVES = 20
const PAUSE_MS = 5

const [prefix, name, enough] = process.argv.slice(2)
const store = Store.open(prefix!)
const times: number[] = []
for (let round = 0; !existsSync(enough!); round++) {
  const dag = new Dag()
  const leaves = Array.from({ length: LEAVES }, (_, index) => {
    return [`file-${index}`, dag.raw(index % 2 ? `shared ${index}` : `${name} ${round} ${index}`)] as const
  })
  const root = dag.directory(Object.fromEntries(leaves))
  const began = performance.now()
  await withAdd(store, async (add) => {
    await add.put([...dag.blocks.values()])
    store.index.put([{ cid: root, packed: packLinks(leaves.map(([, cid]) => cid)) }])
    await add.commit([root])
    await addPin(store, { prog: name!, cid: root })
  })
  times.push(performance.now() - began)
  await removePin(store, { prog: name!, cid: root })
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
store.close()
console.log(JSON.stringify(times))
