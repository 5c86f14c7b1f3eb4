// Lists that are printed while they are made: the same words as if they were held, in
// memory for a piece of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdOrList, jsonPieces, LongList } from '../../src/cli/show/long-list.ts'
import { toJson } from '../../src/cli/show/output.ts'
import { CID } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import { widestDirectories } from '../fixtures/hostile-dags.ts'
import { putDag } from '../helpers/store.ts'
import { sandbox } from './harness.ts'

test('a record with a long list is the JSON of one with that list', () => {
  const cid = CID.parse('bafkqaaa')
  const item = (index: number) => ({ name: `a\n"${index}`, cid, more: { list: [index], none: undefined } })
  for (const count of [0, 1, 999, 1000, 1001, 9999, 10_000, 10_001, 23_456]) {
    const held = Array.from({ length: count }, (_, index) => item(index))
    const rest: string[] = []
    function* making() {
      for (let index = 0; index < count; index++) yield item(index)
      rest.push('known in the end')
    }
    const items = holdOrList(making())
    assert.equal(items instanceof LongList, count >= 10_000)
    const text = [...jsonPieces({ cid, absent: undefined, items, rest })].join('')
    assert.equal(text, toJson({ cid, items: held, rest }), `${count}`)
  }
  assert.equal([...jsonPieces(undefined)].join(''), '{}')
})

/** Blocks of a directory of many names, in a prefix. */
async function prefixWith<T>(prefix: string, build: (dag: Dag) => T): Promise<T> {
  const dag = new Dag()
  const built = build(dag)
  const store = Store.open(prefix)
  await putDag(store, dag)
  store.close()
  return built
}

test('ls of 12,000 names: as lines, as a table, as a record', async (t) => {
  const box = await sandbox(t)
  const names = Array.from({ length: 12_000 }, (_, index) => `name ${index}`)
  const { root, leaf } = await prefixWith(box.prefix, (dag) => {
    const leaf = dag.raw('leaf')
    const links = names.map((name) => ({ name, cid: leaf }))
    return {
      leaf,
      root: dag.directory([...links, { name: '..', cid: leaf }, { name: 'dir', cid: dag.directory({}) }]),
    }
  })
  const ls = async (...words: string[]) => {
    const { status, stdout, stderr } = await box.run(['store', 'ls', String(root), ...words])
    assert.deepEqual([status, stderr], [4, ''])
    return stdout
  }
  const left = 'not as a file: ".." stands for another directory'
  assert.deepEqual((await ls()).split('\n'), [...names, 'dir/', left, ''])
  assert.deepEqual((await ls('-q')).split('\n'), [...names, 'dir', ''])
  const lines = (await ls('-l')).split('\n')
  assert.match(lines[0]!, /^mode +size +cid +name$/)
  assert.deepEqual(new Set(lines.slice(1, 12_001).map((line) => line.slice(0, line.indexOf('name')))).size, 1)
  assert.deepEqual(
    lines.slice(1, 12_001).map((line) => line.slice(line.indexOf('name'))),
    names,
  )
  const { cid, entries, unusable } = JSON.parse(await ls('--json'))
  assert.equal(cid, String(root))
  assert.deepEqual(entries[11_999], {
    name: 'name 11999',
    cid: String(leaf),
    type: 'file',
    size: 4,
    mode: 0o444,
    mtime: entries[0].mtime,
  })
  assert.deepEqual([entries.length, entries[12_000].type, unusable.length], [12_001, 'directory', 1])
})

test('a list that breaks off says so on standard error, and by the exit status', async (t) => {
  const box = await sandbox(t)
  const root = await prefixWith(box.prefix, (dag) => {
    const cid = dag.raw('leaf')
    const root = dag.hamt(
      Array.from({ length: 12_000 }, (_, index) => ({ name: `name ${index}`, cid })),
      16,
    )
    // Each shard is made after those below it, in order: the last one but the root is the last to be read.
    const [lost] = [...dag.blocks.keys()].slice(-2)
    dag.blocks.delete(lost!)
    return root
  })
  for (const words of [[], ['--json']]) {
    const { status, stdout, stderr } = await box.run(['store', 'ls', String(root), ...words])
    assert.equal(status, 4)
    assert.ok(stdout.length > 100_000, 'what came before is there')
    if (words.length > 0) assert.equal(JSON.parse(stderr).error.code, 'MISSING_BLOCK')
    else assert.match(stderr, /is not in the store/)
  }
})

test('100,000 names take memory for some thousands', async (t) => {
  const box = await sandbox(t)
  const root = await prefixWith(box.prefix, (dag) => widestDirectories(dag, 1))
  for (const words of [['-l'], ['--json']]) {
    const { status, stdout, stderr } = await box.run(['store', 'ls', String(root), ...words], {
      node: ['--max-old-space-size=64'],
    })
    assert.equal(status, 0, stderr.slice(0, 500))
    assert.ok(stdout.length > 100_000 * 30)
  }
})
