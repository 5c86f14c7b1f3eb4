// A process of a user's who may not write the prefix: `<prefix> <what> <argument>…`. It says where it is, and goes
// on when it is told so, line by line; what it failed at comes last, as its code.

import { createInterface } from 'node:readline'
import { openStore } from '../../src/daemon/client/open-store.ts'
import { codeOf } from '../../src/errors.ts'
import { prefixPaths } from '../../src/paths.ts'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { parseCid } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'

const [prefix = '', what, ...args] = process.argv.slice(2) as [string, ...string[]]
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function reach(point: string): Promise<void> {
  process.stdout.write(`${point}\n`)
  await lines.next()
}

try {
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort())
  const store = await openStore(prefixPaths(prefix), { signal: abort.signal })
  await withAdd(store, async (add) => {
    if (what === 'hold') await add.rely(parseCid(args[0] as string))
    const cid = what === 'hold' ? parseCid(args[0] as string) : (await importTree(add, args[0] as string)).cid
    await reach(`built ${cid}`)
    if (what !== 'hold') await add.commit([cid])
    await reach('committed')
    if (args[1] !== undefined) await addPin(store, { prog: args[1], cid })
    await reach('linked')
  })
  store.close()
  process.stdout.write('done\n')
} catch (error) {
  process.stdout.write(`${codeOf(error)} ${(error as Error).message}\n`)
}
process.exit()
