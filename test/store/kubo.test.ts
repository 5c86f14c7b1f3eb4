// Against Kubo itself: the same trees have the same CIDs, and CARs travel both ways.

import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withAdd } from '../../src/store/add/add.ts'
import { importCar } from '../../src/store/car/read.ts'
import { exportCar } from '../../src/store/car/write.ts'
import { parseCid } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { KUBO, kubo, NO_KUBO } from '../helpers/kubo.ts'
import { collect, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const options = { skip: NO_KUBO }

const TREES: Record<string, (tree: string) => void> = {
  'small files, links, hidden and empty ones': (tree) => {
    for (let n = 0; n < 40; n++) {
      mkdirSync(join(tree, `d${n}`, 'empty'), { recursive: true })
      writeFileSync(join(tree, `d${n}`, '.hidden'), 'x'.repeat(n))
      writeFileSync(join(tree, `d${n}`, `ü ${n}%20`), '')
      symlinkSync(`../d${n + 1}/.hidden`, join(tree, `d${n}`, 'link'))
    }
  },
  'a file of several chunks': (tree) => writeFileSync(join(tree, 'blob'), Buffer.alloc(3_500_000, 'chunk')),
  'thousands of files in one directory': (tree) => {
    for (let n = 0; n < 6000; n++) writeFileSync(join(tree, `a-name-that-takes-its-room-${n}`), `${n % 10}`)
  },
  'thousands of directories in one directory': (tree) => {
    for (let n = 0; n < 6000; n++) mkdirSync(join(tree, `a-name-that-takes-its-room-${n}`))
  },
}

async function makeTree(t: TestContext, fill: (tree: string) => void) {
  const directory = await temporaryDirectory(t)
  const tree = join(directory, 'tree')
  mkdirSync(tree)
  fill(tree)
  return { tree, ipfs: KUBO ? kubo(join(directory, 'kubo')) : undefined! }
}

for (const [title, fill] of Object.entries(TREES)) {
  test(`${title}: the CID that Kubo gives`, options, async (t) => {
    const { tree, ipfs } = await makeTree(t, fill)
    const store = await temporaryStore(t)
    const { cid } = await withAdd(store, (add) => importTree(add, tree))
    const theirs = ipfs(['add', '--recursive', '--hidden', '--quieter', '--only-hash', tree])
    assert.equal(cid.toString(), theirs.toString().trim())
  })
}

test('a CAR of ours is read by Kubo, and one of Kubo by us', options, async (t) => {
  const { tree, ipfs } = await makeTree(t, (tree) => {
    mkdirSync(join(tree, 'sub'))
    writeFileSync(join(tree, 'sub', 'file'), 'hello')
  })
  const ours = await temporaryStore(t)
  const { cid } = await withAdd(ours, (add) => importTree(add, tree))
  ipfs(['dag', 'import'], await collect(exportCar(ours, cid)))
  assert.equal(ipfs(['cat', `${cid}/sub/file`]).toString(), 'hello')

  writeFileSync(join(tree, 'sub', 'file'), 'hello again')
  const theirs = ipfs(['add', '--recursive', '--quieter', tree]).toString().trim()
  const car = ipfs(['dag', 'export', theirs])
  const { roots } = await withAdd(ours, (add) =>
    importCar(
      add,
      (async function* () {
        yield car
      })(),
    ),
  )
  assert.deepEqual(roots.map(String), [theirs])
  const { cid: file } = resolvePath(ours.blocks, parseCid(theirs), 'sub/file')
  assert.equal(Buffer.from(readFile(ours.blocks, file)).toString(), 'hello again')
})
