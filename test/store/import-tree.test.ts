// Importing real trees: the CIDs, through this thread alone and with worker threads.

import { strict as assert } from 'node:assert'
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withAdd } from '../../src/store/add/add.ts'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import { CHUNK_BYTES } from '../../src/store/import/format.ts'
import { type ImportOptions, importTree } from '../../src/store/import/import-tree.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import type { ImportProgress } from '../../src/store/import/walk.ts'
import { linksOf } from '../../src/store/links/links.ts'
import { Store } from '../../src/store/store.ts'
import { FileReader } from '../../src/store/unixfs/read.ts'
import * as vectors from '../fixtures/cid-profiles.ts'
import { type DiskEntry, libraryEntries, randomTree, writeTree } from '../helpers/disk-tree.ts'
import { libraryImport } from '../helpers/library-import.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

async function openTemporary(t: TestContext): Promise<{ store: Store; tree: string }> {
  const directory = await temporaryDirectory(t)
  const store = Store.open(join(directory, 'prefix'))
  t.after(() => store.close())
  return { store, tree: join(directory, 'tree') }
}

const add = (store: Store, path: string, options?: ImportOptions) =>
  withAdd(store, (session) => importTree(session, path, options))

async function cidOf(t: TestContext, entries: Iterable<DiskEntry>): Promise<string> {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, entries)
  return (await add(store, tree)).cid.toString()
}

const text = (path: string, content: string): DiskEntry => ({ path, content: Buffer.from(content) })

test('vector: the directory at the HAMT threshold, from the disk', async (t) => {
  const entries = vectors.directoryNames(21).map((name) => text(name, 'x'))
  assert.equal(await cidOf(t, entries), vectors.DIRECTORY_AT_THRESHOLD)
})

test('vector: the directory over the HAMT threshold, from the disk', async (t) => {
  const entries = vectors.directoryNames(22).map((name) => text(name, 'x'))
  assert.equal(await cidOf(t, entries), vectors.DIRECTORY_OVER_THRESHOLD)
})

for (const { title, cid, entries } of vectors.TREES) {
  test(`vector: ${title}`, async (t) => assert.equal(await cidOf(t, entries), cid))
}

test('vector: a directory with a grafted DAG of other chunks', async (t) => {
  const { store } = await openTemporary(t)
  const { cid } = await withAdd(store, (session) => buildTree(session, vectors.SIMPLE_DIRECTORY.entries))
  assert.equal(cid.toString(), vectors.SIMPLE_DIRECTORY.cid)
})

for (const seed of [1, 2, 3]) {
  test(`a random tree equals the library's, read by one thread (seed ${seed})`, async (t) => {
    const entries = randomTree(seed, 60)
    assert.equal(await cidOf(t, entries), (await libraryImport(libraryEntries(entries))).cid)
  })
}

test("a random tree equals the library's, read by several threads", async (t) => {
  const many = Array.from({ length: 1500 }, (_, index) =>
    text(`many/${index % 7}/${index}`, `content ${index}`),
  )
  const entries = [...randomTree(4, 150), ...many]
  assert.equal(await cidOf(t, entries), (await libraryImport(libraryEntries(entries))).cid)
})

test("an executable of many spans equals the library's", async (t) => {
  const content = vectors.seededBytes('spans')(41 * CHUNK_BYTES + 5)
  const entries: DiskEntry[] = [{ path: 'program', content, executable: true }]
  assert.equal(await cidOf(t, entries), (await libraryImport(libraryEntries(entries))).cid)
})

test('names that end in a backslash are names, not escapes', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, [text('a\\/b', '1'), text('a/b', '2')])
  const { cid } = await add(store, tree)
  const names = linksOf(cid, store.blocks.get(cid)).length
  assert.equal(names, 2)
})

test('a directory of many directories becomes a HAMT, as one of many files', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(
    tree,
    vectors.directoryNames(22).map((path) => ({ path, directory: true })),
  )
  const { cid, directories } = await add(store, tree)
  assert.equal(directories, 4767)
  assert.ok(linksOf(cid, store.blocks.get(cid)).length <= 256)
})

test('the same DAG from the disk and from entries', async (t) => {
  const { store, tree } = await openTemporary(t)
  const entries = randomTree(9, 80)
  writeTree(tree, entries)
  const built = await withAdd(store, (session) => buildTree(session, entries))
  const imported = await add(store, tree)
  assert.deepEqual([built.cid.toString(), built.size], [imported.cid.toString(), imported.size])
})

test('a root that is a file, or a symlink, which is not followed', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, [text('file', 'hello world'), { path: 'link', link: 'file' }])
  assert.equal((await add(store, join(tree, 'file'))).cid.toString(), vectors.SMALL_FILE)
  const library = await libraryImport([{ path: 'link', link: 'file' }], { wrap: false })
  assert.equal((await add(store, join(tree, 'link'))).cid.toString(), library.cid)
})

test('figures: what was there, what is new, and nothing new the second time', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, [text('a', 'one'), text('b', 'one'), text('d/c', 'three'), { path: 'l', link: 'a' }])
  const { cid: _, size, newBytes, ...first } = await add(store, tree)
  assert.deepEqual(first, { files: 3, directories: 2, symlinks: 1, bytes: 11, blocks: 6, newBlocks: 5 })
  assert.equal(size, newBytes + 3)
  const again = await add(store, tree)
  assert.deepEqual([again.newBlocks, again.newBytes, again.blocks], [0, 0, 6])
})

test('the links of every node are in the index', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, [...randomTree(5, 60), { path: 'x', content: Buffer.from('#!'), executable: true }])
  const { cid } = await add(store, tree)
  const known = store.index.children(cid)
  assert.deepEqual(known?.map(String), linksOf(cid, store.blocks.get(cid)).map(String))
  for (const child of known ?? []) {
    if (child.code !== 0x55) assert.ok(store.index.children(child), `${child} is not indexed`)
  }
})

test('a sparse file over 4 GiB: its size, and bytes behind 4 GiB', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, [])
  const file = join(tree, 'large')
  writeFileSync(file, 'start')
  truncateSync(file, 2 ** 32)
  writeFileSync(file, 'end', { flag: 'a' })
  const { cid, bytes, newBlocks } = await add(store, file)
  // leaves: the first, the zeros, the last; nodes over the first 1,024, those of zeros, and the last; the root
  assert.deepEqual([bytes, newBlocks], [2 ** 32 + 3, 7])
  const buffer = Buffer.alloc(10)
  const reader = new FileReader(store.blocks, cid)
  assert.equal(reader.size, bytes)
  assert.equal(reader.readInto(buffer, 2 ** 32 - 1), 4)
  assert.equal(buffer.toString('latin1', 0, 4), '\0end')
})

test('filter leaves out what it says, a directory as a whole', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, [text('keep', '1'), text('.git/config', '2'), text('d/drop', '3'), text('d/keep', '4')])
  const asked: string[] = []
  const filtered = await add(store, tree, {
    filter: (path, kind) => {
      asked.push(`${kind} ${path}`)
      return !path.endsWith('drop') && path !== '.git'
    },
  })
  const { cid } = await withAdd(store, (session) =>
    buildTree(session, [text('keep', '1'), text('d/keep', '4')]),
  )
  assert.equal(filtered.cid.toString(), cid.toString())
  assert.deepEqual(asked.sort(), ['directory .git', 'directory d', 'file d/drop', 'file d/keep', 'file keep'])
})

test('extra entries go beside and in place of what is on the disk', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(tree, [
    text('bin/x', 'x'),
    text('.pkg/manifest.json', 'old'),
    text('.pkg/note', 'n'),
    text('was', 'file'),
  ])
  const extra = [text('.pkg/manifest.json', 'new'), text('new/deep', 'd'), text('was/now', 'directory')]
  const imported = await add(store, tree, { extra })
  const { cid } = await withAdd(store, (session) =>
    buildTree(session, [text('bin/x', 'x'), text('.pkg/note', 'n'), ...extra]),
  )
  assert.equal(imported.cid.toString(), cid.toString())
})

test('progress ends at the totals', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(
    tree,
    Array.from({ length: 1200 }, (_, index) => text(`d${index % 3}/${index}`, `${index}`)),
  )
  const seen: ImportProgress[] = []
  const { files, bytes } = await add(store, tree, { onProgress: (progress) => seen.push(progress) })
  assert.deepEqual(seen.at(-1), { files, bytes, totalFiles: files, totalBytes: bytes })
  assert.ok(seen.every((one, index) => index === 0 || one.files >= seen[index - 1]!.files))
})

test('no temp pin and no temp file is left behind, whichever threads wrote', async (t) => {
  const { store, tree } = await openTemporary(t)
  writeTree(
    tree,
    Array.from({ length: 1200 }, (_, index) => text(String(index), `${index}`)),
  )
  await withAdd(store, async (session) => {
    const { cid } = await importTree(session, tree)
    const blocks = new Set(readTempPins(store.paths).flatMap((pin) => pin.blocks))
    assert.ok(blocks.size >= 1201, 'all blocks are protected until the session ends')
    await session.commit([cid])
  })
  assert.deepEqual(readdirSync(store.paths.tempPins), [])
  assert.deepEqual(readdirSync(store.paths.blocksTemp), [])
})

test('an empty directory', async (t) => {
  const { store, tree } = await openTemporary(t)
  mkdirSync(tree)
  assert.equal((await add(store, tree)).cid.toString(), vectors.EMPTY_DIRECTORY)
})
