// Blocks full of links, one in the other: what is done with them takes memory for the
// blocks, not for an object a link (invariant 7). Each in a process whose heap is small.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { temporaryDirectory } from '../helpers/temp.ts'

const HEAP_MIB = 64
const LEVELS = 8

const url = (path: string) => JSON.stringify(import.meta.resolve(path))
const PRELUDE = `
import { setImmediate } from 'node:timers/promises'
import { widestDirectories } from ${url('../fixtures/hostile-dags.ts')}
import { Dag } from ${url('../fixtures/dag.ts')}
const dag = new Dag()
const root = widestDirectories(dag, ${LEVELS})
// What building it left behind.
await setImmediate()
`

const CASES = [
  {
    title: 'a walk',
    script: `
      const { closure } = await import(${url('../../src/store/links/closure.ts')})
      const { linksOf, packedLinksOf } = await import(${url('../../src/store/links/links.ts')})
      const packedChildren = (cid) => packedLinksOf(cid, dag.get(cid))
      console.log([...closure({ children: () => { throw new Error('packed links will do') }, packedChildren }, [root])].length)`,
    says: `${LEVELS + 1}`,
  },
  {
    title: 'an import',
    script: `
      const { Store } = await import(${url('../../src/store/store.ts')})
      const { withAdd } = await import(${url('../../src/store/add/add.ts')})
      const { importCar } = await import(${url('../../src/store/car/read.ts')})
      const { car } = await import(${url('../helpers/store.ts')})
      const bytes = car([root], dag.blocks.values())
      const store = Store.open(process.argv[1])
      const { complete } = await withAdd(store, (add) => importCar(add, (async function* () { yield bytes })()))
      console.log(String(complete) === String(root))`,
    says: 'true',
  },
  {
    title: 'why the innermost one is alive',
    script: `
      const { Store } = await import(${url('../../src/store/store.ts')})
      const { putDag } = await import(${url('../helpers/store.ts')})
      const { addPin } = await import(${url('../../src/pins/pins.ts')})
      const { why } = await import(${url('../../src/pins/why.ts')})
      const store = Store.open(process.argv[1])
      await putDag(store, dag)
      await addPin(store, { prog: 'wide', cid: root })
      const [{ path }] = await why(store, dag.directory({}))
      console.log(path.length, path.at(-1).name)`,
    says: `${LEVELS + 1} 0`,
  },
  {
    title: 'measuring a tree',
    script: `
      const { measureTree } = await import(${url('../../src/store/unixfs/measure.ts')})
      console.log(measureTree(dag, root).entries)`,
    says: `${LEVELS * 100_000 + 1}`,
  },
  {
    title: 'a copy, which begins with the innermost',
    script: `
      const { copyTree } = await import(${url('../../src/store/unixfs/copy.ts')})
      const stop = new AbortController()
      const onProgress = ({ files }) => files === 5000 && stop.abort(new Error('enough'))
      await copyTree(dag, root, process.argv[1] + '/copy', { signal: stop.signal, onProgress }).catch(({ message }) => console.log(message))`,
    says: 'enough',
  },
]

for (const { title, script, says } of CASES) {
  test(`${title}, of ${LEVELS} nested directories of 100,000 names`, async (t) => {
    const directory = await temporaryDirectory(t)
    const node = [
      `--max-old-space-size=${HEAP_MIB}`,
      '--input-type=module',
      '-e',
      PRELUDE + script,
      directory,
    ]
    const { status, stdout, stderr } = spawnSync(process.execPath, node, { encoding: 'utf8' })
    assert.equal(status, 0, stderr.slice(0, 500))
    assert.equal(stdout.trim(), says)
  })
}
