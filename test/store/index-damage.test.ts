// The link index holds what can be rebuilt: whatever became of its file, commands go on.

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { openSearchIndex } from '../../src/registry/search-index.ts'
import { LinkIndex } from '../../src/store/links/index-db.ts'
import { Store } from '../../src/store/store.ts'
import { missing, pinTree } from '../collector/scenario.ts'
import { Dag } from '../fixtures/dag.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** An SQLite file begins with a page of 4,096 bytes, which names the version and the tables. */
const FIRST_PAGE = 4096

test('an index whose first page is sound and whose others are not is thrown away', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  store.close()
  const bytes = readFileSync(store.paths.index)
  writeFileSync(store.paths.index, bytes.fill(0xa5, FIRST_PAGE))
  const again = new Store(store.paths)
  t.after(() => again.close())
  await runCollection(again)
  assert.deepEqual(missing(again, kept.root), [])
})

test('a search goes on from an index that is damaged', async (t) => {
  const file = join(await temporaryDirectory(t), 'search.db')
  const first = openSearchIndex(file)
  first.use((index) => index.keepOnly('', []))
  first.close()
  writeFileSync(file, readFileSync(file).fill(0xa5, FIRST_PAGE))
  const again = openSearchIndex(file)
  t.after(() => again.close())
  assert.deepEqual(
    again.use((index) => index.find('a', ['bob/here'], 1)),
    [],
  )
})

test('what other processes threw away is not written to', async (t) => {
  const file = join(await temporaryDirectory(t), 'index.db')
  const [one, other] = [new LinkIndex(file), new LinkIndex(file)]
  t.after(() => [one, other].map((index) => index.close()))
  const cid = new Dag().directory({})
  one.markComplete([cid])
  one.clear()
  assert.ok(!other.isComplete(cid))
  other.markComplete([cid])
  assert.ok(one.isComplete(cid))
})

test('notes that cannot be taken back because the file is closed to writing go with it', async (t) => {
  const directory = await temporaryDirectory(t)
  const file = join(directory, 'index.db')
  const cid = new Dag().directory({})
  const first = new LinkIndex(file)
  first.markComplete([cid])
  first.close()
  // Where the `-wal` cannot be opened, SQLite says CANTOPEN, as where no inode is left.
  mkdirSync(`${file}-wal`)
  const second = new LinkIndex(file)
  t.after(() => second.close())
  second.clearComplete()
  rmSync(`${file}-wal`, { recursive: true, force: true })
  const third = new LinkIndex(file)
  t.after(() => third.close())
  assert.ok(!third.isComplete(cid))
})

test('a var directory that was deleted is made again', async (t) => {
  const store = await temporaryStore(t)
  store.close()
  rmSync(store.paths.var, { recursive: true })
  const again = Store.open(store.paths.root)
  t.after(() => again.close())
  await pinTree(again, 'kept')
})

test('temp pins find their directory made again, and nothing else is', async (t) => {
  const { paths } = await temporaryStore(t)
  rmSync(paths.tempPins, { recursive: true })
  Store.openExisting(paths.root).close()
  assert.ok(existsSync(paths.tempPins))
  rmSync(paths.pins, { recursive: true })
  assert.throws(() => Store.openExisting(paths.root), /is missing/)
})

test('who may only read the index, while its owner has it open, goes on in memory', async (t) => {
  const store = await temporaryStore(t)
  await pinTree(store, 'kept')
  const { index } = store.paths
  for (const suffix of ['', '-wal', '-shm']) chmodSync(index + suffix, 0o444)
  const script = `
    const { LinkIndex } = await import(${JSON.stringify(import.meta.resolve('../../src/store/links/index-db.ts'))})
    const { CID } = await import('multiformats/cid')
    const links = new LinkIndex(process.argv[1])
    const cid = CID.parse('bafyreigmitjgwhpx2vgrzp7knbqdu2ju5ytyibfybll7tfb7eqjqujtd3y')
    links.put([{ cid, packed: cid.bytes }])
    links.markComplete([cid])
    console.log(String(links.children(cid)), links.isComplete(cid))`
  const ran = runPowerless(['--input-type=module', '-e', script, index])
  assert.equal(ran.stderr, '')
  assert.equal(ran.stdout.trim(), 'bafyreigmitjgwhpx2vgrzp7knbqdu2ju5ytyibfybll7tfb7eqjqujtd3y true')
})
