import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, type TestContext, test } from 'node:test'
import { unixfs } from '@helia/unixfs'
import { hasCode } from '../../src/errors.ts'
import { openHelia } from '../../src/network/helia.ts'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import { CID } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { list } from '../../src/store/unixfs/directory.ts'
import { readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { stat } from '../../src/store/unixfs/stat.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const store = Store.open(await temporaryDirectory({ after }))
after(() => store.close())

async function openNode(t: TestContext) {
  const node = await openHelia(store)
  t.after(() => node.close())
  return { node, fs: unixfs(node.helia) }
}

test('what Helia adds, our reader reads', async (t) => {
  const { fs } = await openNode(t)
  const bytes = Buffer.alloc(3 * 1024 * 1024 + 17, 'helia ')
  const source = [
    { path: 'dir/large', content: bytes },
    { path: 'dir/run', content: Buffer.from('#!/bin/sh\n'), mode: 0o755 },
    { path: 'dir/timed', content: Buffer.from('x'), mtime: { secs: 1_700_000_000n, nsecs: 5 } },
    { path: 'dir/link', link: 'sub/target' },
    { path: 'dir/empty', content: new Uint8Array(0) },
  ]
  let root: CID | undefined
  for await (const { cid } of fs.addAll(source)) root = cid
  assert.ok(root)
  const at = (path: string) => resolvePath(store.blocks, root, path).cid
  assert.deepEqual([...list(store.blocks, root)].map(({ name }) => name).sort(), [
    'empty',
    'large',
    'link',
    'run',
    'timed',
  ])
  assert.ok(Buffer.from(readFile(store.blocks, at('large'))).equals(bytes))
  assert.equal(stat(store.blocks, at('run')).mode, 0o555)
  assert.deepEqual(stat(store.blocks, at('timed')).mtime, { seconds: 1_700_000_000, nanoseconds: 5 })
  assert.equal(stat(store.blocks, at('link')).target, 'sub/target')
  assert.equal(readFile(store.blocks, at('empty')).length, 0)
})

test('a directory that Helia makes a HAMT of is listed and looked into', async (t) => {
  const { fs } = await openNode(t)
  const names = Array.from({ length: 600 }, (_, index) => `file-${index}`)
  const source = names.map((name) => ({ path: `d/${name}`, content: Buffer.from(name) }))
  let root: CID | undefined
  for await (const { cid } of fs.addAll(source, { shardSplitThresholdBytes: 1000 })) root = cid
  assert.ok(root)
  assert.deepEqual([...list(store.blocks, root)].map(({ name }) => name).sort(), names.toSorted())
  for (const name of ['file-0', 'file-599']) {
    assert.equal(
      Buffer.from(readFile(store.blocks, resolvePath(store.blocks, root, name).cid)).toString(),
      name,
    )
  }
})

test('a block that is not here is missing at once, not looked for elsewhere', async (t) => {
  const { fs } = await openNode(t)
  const absent = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
  const reading = fs.cat(absent)[Symbol.asyncIterator]().next()
  await assert.rejects(reading, (error) => {
    const causes = error instanceof AggregateError ? error.errors : [error]
    return causes.some((cause) => hasCode(cause, 'MISSING_BLOCK'))
  })
})

test('what is added, also what was there before, is in the temp pin until close', async (t) => {
  const { node, fs } = await openNode(t)
  const first = await fs.addBytes(Buffer.from('one'))
  const second = await openHelia(store)
  await unixfs(second.helia).addBytes(Buffer.from('one'))
  for (const { tempPin } of [node.add, second.add]) {
    const pin = readTempPins(store.paths).find(({ file }) => file === tempPin.file)
    assert.ok(pin?.blocks.includes(Buffer.from(first.multihash.bytes).toString('latin1')))
  }
  await second.close()
  await second.close()
  assert.deepEqual(readdirSync(store.paths.tempPins).length, 1)
})

test("Helia's own collection is refused and deletes nothing", async (t) => {
  const { node, fs } = await openNode(t)
  const cid = await fs.addBytes(Buffer.from('kept'))
  await assert.rejects(Promise.resolve(node.helia.blockstore.delete(cid)), (error) =>
    hasCode(error, 'UNSUPPORTED'),
  )
  await assert.rejects(node.helia.gc())
  assert.ok(store.blocks.has(cid))
})

test('the node listens nowhere and knows no peers', async (t) => {
  const { node } = await openNode(t)
  assert.equal('libp2p' in node.helia, false)
  const sockets = process.getActiveResourcesInfo().filter((name) => /^(TCP|UDP)/.test(name))
  assert.deepEqual(sockets, [])
  assert.equal(node.helia.hasBlockBroker('offline'), true)
})
