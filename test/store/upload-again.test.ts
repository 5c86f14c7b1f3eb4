// What a user uploads that is in the prefix already: held, and not sent a second time.

import assert from 'node:assert/strict'
import { truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { importCar } from '../../src/store/car/read.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { hasAll } from '../../src/store/links/closure.ts'
import type { Store } from '../../src/store/store.ts'
import { UploadStore } from '../../src/store/upload/upload-store.ts'
import type { Uploader } from '../../src/store/upload/uploader.ts'
import { tree } from '../collector/scenario.ts'
import { writeTree } from '../helpers/disk-tree.ts'
import { car, inPieces, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** The other side without a socket: what comes is imported, and held until `close`, as the daemon does (daemon/api/import.ts). */
function ownUploader(store: Store): Uploader & { sent: number[] } {
  const sent: number[] = []
  return {
    sent,
    async upload({ roots, blocks }) {
      const all = [...blocks()]
      sent.push(all.length)
      const add = store.openAdd()
      const { complete } = await importCar(add, inPieces(car([...roots], all)))
      await add.commit(complete)
      return { whole: complete, lost: false, close: () => add.close() }
    },
  }
}

async function uploading(t: TestContext) {
  const store = await temporaryStore(t)
  const uploader = ownUploader(store)
  const user = new UploadStore(store.paths, uploader)
  t.after(() => user.close())
  const source = join(await temporaryDirectory(t), 'tree')
  writeTree(
    source,
    Array.from({ length: 20 }, (_, file) => ({
      path: `d${file % 3}/${file}`,
      content: Buffer.from(`${file}`),
    })),
  )
  /** What was sent meanwhile, in blocks. */
  const sentBy = async <T>(work: () => Promise<T>) => {
    uploader.sent.length = 0
    const result = await work()
    return { result, sent: uploader.sent.reduce((sum, blocks) => sum + blocks, 0) }
  }
  const add = () => sentBy(() => withAdd(user, (session) => importTree(session, source)))
  return { store, user, source, sentBy, add }
}

test('a tree that is there already is neither sent nor called new', async (t) => {
  const { store, source, add } = await uploading(t)
  const first = await add()
  assert.equal(first.sent, first.result.blocks)
  assert.equal(first.result.newBlocks, first.result.blocks)
  const again = await add()
  assert.deepEqual([again.sent, again.result.newBlocks, again.result.newBytes], [0, 0, 0])
  assert.ok(hasAll(store, first.result.cid))
  writeFileSync(join(source, 'd0/0'), 'other')
  // The file, its directory and the root.
  assert.equal((await add()).result.newBlocks, 3)
})

test('what was not sent is held as long as the session is open, and longer it is not', async (t) => {
  const { store, user, source, add } = await uploading(t)
  const { cid } = (await add()).result
  await withAdd(user, async (session) => {
    await importTree(session, source)
    await session.commit([cid])
    await runCollection(store)
    assert.ok(hasAll(store, cid))
  })
  await runCollection(store)
  assert.equal(store.blocks.has(cid), false)
  const anew = await add()
  assert.equal(anew.sent, anew.result.blocks)
})

test('where a block is lost, or short after a crash, all is sent, and the tree is whole again', async (t) => {
  const { store, user, source, add } = await uploading(t)
  const { result } = await add()
  const [leaf] = [...store.blocks.list()].filter(({ file }) => file !== store.blocks.file(result.cid))
  for (const harm of [unlinkSync, (file: string) => truncateSync(file, 0)]) {
    harm(leaf!.file)
    const { sent } = await add()
    assert.ok(sent > 0)
    await withAdd(user, async (session) => {
      await importTree(session, source)
      await session.commit([result.cid])
    })
    for (const { cid } of store.blocks.list()) store.blocks.get(cid)
    assert.ok(hasAll(store, result.cid))
  }
})

test('a CAR of what is there is not sent', async (t) => {
  const { user, sentBy } = await uploading(t)
  const { dag, root, blocks } = tree('car')
  const bytes = car([root], dag.blocks.values())
  const load = () =>
    sentBy(() =>
      withAdd(user, async (session) => {
        const imported = await importCar(session, inPieces(bytes))
        await session.commit(imported.complete)
        return imported
      }),
    )
  const first = await load()
  assert.deepEqual([first.sent, first.result.newBlocks], [blocks, blocks])
  const again = await load()
  assert.deepEqual([again.sent, again.result.newBlocks, again.result.complete.length], [0, 0, 1])
})
