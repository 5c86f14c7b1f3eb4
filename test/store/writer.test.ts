import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { type TestContext, test } from 'node:test'
import * as Digest from 'multiformats/hashes/digest'
import { hasCode } from '../../src/errors.ts'
import { withLock } from '../../src/files/lock.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { readTempPins, TempPin } from '../../src/store/add/temp-pin.ts'
import { BlockWriter } from '../../src/store/add/writer.ts'
import { MAX_BLOCK_BYTES } from '../../src/store/blocks/block-file.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import { blockKey, CID, IDENTITY, parseCid, RAW, SHA2_256 } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

async function openStore(t: TestContext): Promise<Store> {
  const store = Store.open(await temporaryDirectory(t))
  t.after(() => store.close())
  return store
}

function block(text: string) {
  const bytes = Buffer.from(text)
  return { cid: rawCid(bytes), bytes }
}

async function put(store: Store, text: string) {
  const added = block(text)
  await withAdd(store, (add) => add.put([added]))
  return added
}

test('a written block is one read-only file named by its CID', async (t) => {
  const store = await openStore(t)
  const { cid, bytes } = await put(store, 'hello')
  const file = store.blocks.file(cid)
  assert.match(file, new RegExp(`/blocks/[a-z2-7]{2}/${cid}$`))
  assert.equal(statSync(file).mode & 0o777, 0o444)
  assert.deepEqual(Buffer.from(store.blocks.get(cid)), bytes)
  assert.deepEqual(readdirSync(store.paths.blocksTemp), [])
})

test('every codec and spelling of the same bytes meets in one file', async (t) => {
  const store = await openStore(t)
  const { cid, bytes } = await put(store, 'one')
  const v0 = CID.createV0(Digest.create(SHA2_256, cid.multihash.digest))
  for (const other of [v0, CID.createV1(0x71, cid.multihash), parseCid(v0.toString())]) {
    assert.deepEqual(Buffer.from(store.blocks.get(other)), bytes)
  }
})

test('a block that is there already is not written again', async (t) => {
  const store = await openStore(t)
  await put(store, 'twice')
  await withAdd(store, async (add) => {
    assert.deepEqual(await add.put([block('twice'), block('new')]), {
      written: 1,
      present: 1,
      writtenBytes: 3,
    })
  })
})

test('a file that a crash left short is written anew', async (t) => {
  const store = await openStore(t)
  const { cid, bytes } = await put(store, 'whole')
  chmodSync(store.blocks.file(cid), 0o644)
  truncateSync(store.blocks.file(cid), 0)
  await put(store, 'whole')
  assert.deepEqual(Buffer.from(store.blocks.get(cid)), bytes)
})

test('one flipped bit is never read: the file goes to the quarantine and adding it again heals it', async (t) => {
  const store = await openStore(t)
  const { cid, bytes } = await put(store, 'precious')
  const file = store.blocks.file(cid)
  const damaged = Buffer.from(bytes)
  damaged[3]! ^= 1
  rmSync(file)
  writeFileSync(file, damaged)
  assert.throws(
    () => store.blocks.get(cid),
    (error) => hasCode(error, 'CORRUPT_BLOCK') && error.message.includes(`${cid}`),
  )
  assert.ok(!existsSync(file))
  assert.deepEqual(readFileSync(`${store.paths.quarantine}/${cid}`), damaged)
  await put(store, 'precious')
  assert.deepEqual(Buffer.from(store.blocks.get(cid)), bytes)
})

test('a quarantine that finds the file right puts it back', async (t) => {
  const store = await openStore(t)
  const { cid } = await put(store, 'right')
  assert.equal(store.blocks.quarantine(cid), false)
  assert.ok(store.blocks.has(cid))
})

test('an identity CID needs no file', async (t) => {
  const store = await openStore(t)
  const cid = CID.createV1(RAW, Digest.create(IDENTITY, Buffer.from('hello')))
  assert.ok(store.blocks.has(cid))
  assert.equal(Buffer.from(store.blocks.get(parseCid(cid.toString()))).toString(), 'hello')
})

test('a missing block is an error that names it', async (t) => {
  const store = await openStore(t)
  const { cid } = block('never added')
  assert.throws(
    () => store.blocks.get(cid),
    (error) => hasCode(error, 'MISSING_BLOCK') && error.message.includes(`${cid}`),
  )
})

test('a block over 2 MiB is refused', async (t) => {
  const store = await openStore(t)
  const bytes = Buffer.alloc(MAX_BLOCK_BYTES + 1)
  await assert.rejects(
    withAdd(store, (add) => add.put([{ cid: rawCid(bytes), bytes }])),
    (error) => hasCode(error, 'BAD_NODE'),
  )
})

test('a temp pin names what its process adds until it is closed', async (t) => {
  const store = await openStore(t)
  const pin = new TempPin(store.paths)
  const { cid } = block('mine')
  pin.addBlocks([cid.multihash.bytes])
  pin.addDag(cid)
  const [read] = readTempPins(store.paths)
  assert.equal(read?.alive, true)
  assert.equal(read?.pid, process.pid)
  assert.deepEqual(read?.blocks, [blockKey(cid)])
  assert.deepEqual(read?.dags.map(String), [String(cid)])
  pin.close()
  pin.close()
  assert.deepEqual(readTempPins(store.paths), [])
})

test('a record whose write has not ended is left out', async (t) => {
  const store = await openStore(t)
  const pin = new TempPin(store.paths)
  t.after(() => pin.close())
  writeFileSync(pin.file, `dag ${block('half').cid}`, { flag: 'a' })
  assert.deepEqual(readTempPins(store.paths)[0]?.dags, [])
})

const DEAD: [string, (name: string[], text: string) => [string, string]][] = [
  ['of a pid that is no process', ([, start, nonce], text) => [`4194999-${start}-${nonce}`, text]],
  ['of a pid that was given again', ([pid, , nonce], text) => [`${pid}-1-${nonce}`, text]],
  ['of an earlier boot', (name, text) => [name.join('-'), text.replace(/ 1 \S+ /, ' 1 0-0-0 ')]],
]
for (const [title, change] of DEAD) {
  test(`a temp pin ${title} is dead`, async (t) => {
    const store = await openStore(t)
    const pin = new TempPin(store.paths)
    t.after(() => pin.close())
    const [name, text] = change(pin.file.split('/').pop()!.split('-'), readFileSync(pin.file, 'latin1'))
    rmSync(pin.file)
    writeFileSync(`${store.paths.tempPins}/${name}`, text)
    assert.deepEqual(
      readTempPins(store.paths).map((read) => read.alive),
      [false],
    )
  })
}

test('a temp pin of another pid namespace counts as alive', async (t) => {
  const store = await openStore(t)
  const pin = new TempPin(store.paths)
  const text = readFileSync(pin.file, 'latin1').replace(/pid:\[\d+\]/, 'pid:[1]')
  pin.close()
  writeFileSync(`${store.paths.tempPins}/4194999-1-abc`, text)
  assert.equal(readTempPins(store.paths)[0]?.alive, true)
})

test('a block that a collector takes between looking and using it is written again', async (t) => {
  const store = await openStore(t)
  const { cid, bytes } = await put(store, 'contested')
  const pin = new TempPin(store.paths)
  t.after(() => pin.close())
  const writer = new BlockWriter(store.paths, pin)
  await withLock(store.paths.collector, async () => {
    // The collector has read the temp pins before ours was written, and holds the lock of its batch.
    let adding: Promise<{ written: number }> | undefined
    await withLock(store.paths.pinsLock, async () => {
      adding = writer.write([{ cid, bytes }])
      await new Promise((resolve) => setTimeout(resolve, 20))
      store.blocks.delete(cid)
    })
    assert.equal((await adding)?.written, 1)
  })
  assert.ok(store.blocks.has(cid))
})
