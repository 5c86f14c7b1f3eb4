import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../../src/errors.ts'
import { diffRoots } from '../../src/registry/diff.ts'
import { encodeHeader, recordPath } from '../../src/registry/layout.ts'
import {
  buildRegistry,
  packageNames,
  readHeader,
  readRecord,
  updateRecords,
} from '../../src/registry/tree.ts'
import type { BlockGetter } from '../../src/store/blocks/blocks.ts'
import { CID } from '../../src/store/cid.ts'
import { buildTree, type TreeEntry } from '../../src/store/import/tree.ts'
import { ABSENT, openTestStore, recordOf } from './fixtures.ts'

function counting(getter: BlockGetter): BlockGetter & { read: number } {
  return {
    read: 0,
    get(cid) {
      this.read += 1
      return getter.get(cid)
    },
  }
}

test('records read back by name; other names have none', async (t) => {
  const { store, add } = await openTestStore(t)
  const root = await buildRegistry(add, 'main', [recordOf('a'), recordOf('b', ['1.0.0', '2.0.0'])])
  assert.deepEqual(readRecord(store.blocks, root, 'b'), recordOf('b', ['1.0.0', '2.0.0']))
  assert.equal(readRecord(store.blocks, root, 'c'), undefined)
  assert.deepEqual(readHeader(store.blocks, root), { format: 1, name: 'main' })
  assert.deepEqual([...packageNames(store.blocks, root)].sort(), ['a', 'b'])
})

test('the same records are the same root, all at once or one by one, whatever came and went', async (t) => {
  const { add } = await openTestStore(t)
  const names = fc.uniqueArray(
    fc.constantFrom(...Array.from({ length: 60 }, (_, index) => `package-${index}`)),
  )
  await fc.assert(
    fc.asyncProperty(names, names, async (kept, gone) => {
      const all = await buildRegistry(
        add,
        'main',
        kept.map((name) => recordOf(name)),
      )
      let root = await buildRegistry(add, 'main')
      for (const name of gone) root = await updateRecords(add, root, new Map([[name, recordOf(name)]]))
      for (const name of kept) root = await updateRecords(add, root, new Map([[name, recordOf(name)]]))
      const removed = gone.filter((name) => !kept.includes(name)).map((name) => [name, undefined] as const)
      assert.equal(String(await updateRecords(add, root, new Map(removed))), String(all))
    }),
    { seed: 3, numRuns: 8 },
  )
})

test('with 100,000 packages one version writes four blocks, and a look-up reads four', async (t) => {
  const { store, add } = await openTestStore(t)
  // The other records are links to one block that is not even here: nothing may look at them.
  const cid = CID.parse(ABSENT)
  const entries: TreeEntry[] = [{ path: 'registry.json', content: encodeHeader('large') }]
  for (let i = 0; i < 100_000; i++) entries.push({ path: recordPath(`package-${i}`), cid, size: 500 })
  const { cid: before } = await buildTree(add, entries)
  const blocks = () => [...store.blocks.list()].length
  const there = blocks()
  const after = await updateRecords(add, before, new Map([['new', recordOf('new')]]))
  assert.equal(blocks() - there, 4)
  const getter = counting(store.blocks)
  assert.equal(readRecord(getter, after, 'new')?.name, 'new')
  assert.ok(getter.read <= 4, `${getter.read} blocks were read`)
  getter.read = 0
  assert.deepEqual(
    [...diffRoots(getter, before, after)].map(({ name }) => name),
    ['new'],
  )
  assert.ok(getter.read <= 8, `${getter.read} blocks were read`)
})

test('what differs between two roots is told, with the CIDs of the records', async (t) => {
  const { store, add } = await openTestStore(t)
  const before = await buildRegistry(
    add,
    'main',
    ['same', 'changed', 'removed'].map((name) => recordOf(name)),
  )
  const changes = new Map([
    ['changed', recordOf('changed', ['1.0.0', '1.0.1'])],
    ['removed', undefined],
    ['added', recordOf('added')],
  ])
  const after = await updateRecords(add, before, changes)
  const differences = [...diffRoots(store.blocks, before, after)].sort((a, b) => (a.name < b.name ? -1 : 1))
  assert.deepEqual(
    differences.map(({ name, before, after }) => [name, before !== undefined, after !== undefined]),
    [
      ['added', false, true],
      ['changed', true, true],
      ['removed', true, false],
    ],
  )
  assert.equal([...diffRoots(store.blocks, undefined, after)].length, 3)
  assert.deepEqual([...diffRoots(store.blocks, after, after)], [])
})

test('a shard that is a HAMT is read and changed like any other', async (t) => {
  const { store, add } = await openTestStore(t)
  const cid = CID.parse(ABSENT)
  // Names chosen for one shard, until the shard's node passes 256 KiB.
  const crowd = Array.from({ length: 6000 }, (_, index) => `packages/58/${'x'.repeat(200)}-${index}.json`)
  const entries: TreeEntry[] = crowd.map((path) => ({ path, cid, size: 1 }))
  const { cid: before } = await buildTree(add, [
    ...entries,
    { path: 'registry.json', content: encodeHeader('x') },
  ])
  const after = await updateRecords(add, before, new Map([['esbuild', recordOf('esbuild')]]))
  assert.equal(readRecord(store.blocks, after, 'esbuild')?.name, 'esbuild')
  assert.equal(String(await updateRecords(add, after, new Map([['esbuild', undefined]]))), String(before))
})

test('what is no registry is refused by what it lacks', async (t) => {
  const { store, add } = await openTestStore(t)
  const { cid } = await buildTree(add, [{ path: 'other', content: Buffer.from('x') }])
  assert.throws(
    () => readHeader(store.blocks, cid),
    (error) => hasCode(error, 'BAD_REGISTRY'),
  )
  await assert.rejects(updateRecords(add, cid, new Map()), (error) => hasCode(error, 'BAD_REGISTRY'))
})

test('a record under the name of another is refused', async (t) => {
  const { store, add } = await openTestStore(t)
  const { cid } = await buildTree(add, [
    { path: 'registry.json', content: encodeHeader('x') },
    {
      path: recordPath('good'),
      content: Buffer.from('{"format":1,"name":"evil","description":"","versions":[]}'),
    },
  ])
  assert.throws(
    () => readRecord(store.blocks, cid, 'good'),
    (error) => hasCode(error, 'BAD_REGISTRY'),
  )
})
