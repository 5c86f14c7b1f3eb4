import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MultihashDigest } from 'multiformats'
import * as Digest from 'multiformats/hashes/digest'
import { hasCode } from '../../src/errors.ts'
import { autoPin, removeAutoPin } from '../../src/pins/auto-pin.ts'
import { addPin, listPins, removePin } from '../../src/pins/pins.ts'
import { roots } from '../../src/pins/roots.ts'
import { why } from '../../src/pins/why.ts'
import { CID, tryParseCid } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { addTree, current, generation, link, pinTree } from '../collector/scenario.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('a pin is a relative link to the store path, named by the CID', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await addTree(store, 'a')
  const { path } = await addPin(store, { prog: 'a', cid: root, user: 'bob' })
  assert.equal(path, join(store.paths.pinsPerUser, 'bob', 'a', String(root)))
  assert.equal(readlinkSync(path), `../../../../store/${root}`)
})

test('pinning twice, also by another spelling, is one pin', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await pinTree(store, 'a')
  await addPin(store, {
    prog: 'a',
    cid: CID.createV0(Digest.decode(root.multihash.bytes) as MultihashDigest<18>),
  })
  assert.equal((await listPins(store)).length, 1)
})

test('a DAG of which a block is missing is not pinned', async (t) => {
  const store = await temporaryStore(t)
  const { root, dag } = await addTree(store, 'a')
  store.index.clearComplete()
  store.blocks.delete([...dag.blocks.values()][0]!.cid)
  await assert.rejects(addPin(store, { prog: 'a', cid: root }), (error) => hasCode(error, 'INCOMPLETE'))
  assert.deepEqual(await listPins(store), [])
  await addPin(store, { prog: 'a', cid: root, partial: true })
  assert.equal((await listPins(store)).length, 1)
  assert.ok(!store.index.isComplete(root))
})

for (const prog of ['', '.', '..', '.hidden', 'a/b', 'a\0b', 'x'.repeat(256)]) {
  test(`${JSON.stringify(prog.slice(0, 10))} is refused as a name`, async (t) => {
    const store = await temporaryStore(t)
    const { root } = await addTree(store, 'a')
    await assert.rejects(addPin(store, { prog, cid: root }), (error) => hasCode(error, 'BAD_NAME'))
  })
}

test('removing a pin leaves the others, and no empty directory', async (t) => {
  const store = await temporaryStore(t)
  const [a, b] = [await addTree(store, 'a'), await addTree(store, 'b')]
  for (const { root } of [a, b]) await addPin(store, { prog: 'x', cid: root, user: 'bob' })
  await removePin(store, { prog: 'x', cid: a.root, user: 'bob' })
  assert.deepEqual(
    (await listPins(store, { user: 'bob' })).map(({ cid }) => String(cid)),
    [String(b.root)],
  )
  await removePin(store, { prog: 'x', user: 'bob' })
  assert.deepEqual(readdirSync(join(store.paths.pinsPerUser, 'bob')), [])
})

test('removing a pin that is not there says so', async (t) => {
  const store = await temporaryStore(t)
  await assert.rejects(removePin(store, { prog: 'x' }), (error) => hasCode(error, 'NOT_FOUND'))
})

test('an auto pin is named by the hash of the path, and leads to the link', async (t) => {
  const store = await temporaryStore(t)
  const home = realpathSync(await temporaryDirectory(t))
  const { root } = await addTree(store, 'a')
  const path = link(`${store.paths.store}/${root}`, join(home, 'result'))
  const pinned = await autoPin(store, path, { prog: 'build', user: 'bob' })
  assert.match(pinned.autoPin, /\/bob\/build\/auto\/[0-9a-f]{64}$/)
  assert.equal(readlinkSync(pinned.autoPin), path)
  assert.deepEqual(await autoPin(store, path, { prog: 'build', user: 'bob' }), pinned)
  assert.equal((await listPins(store)).length, 1)
  assert.equal(await removeAutoPin(store, path, { prog: 'build', user: 'bob' }), true)
  assert.deepEqual([await listPins(store), readdirSync(home)], [[], ['result']])
  assert.ok(!existsSync(`${pinned.autoPin}.json`))
})

const REFUSED: [string, (home: string, store: string) => string][] = [
  ['that is not there', (home) => join(home, 'nothing')],
  ['that is a directory', (home) => home],
  ['that leads elsewhere', (home) => link('/usr', join(home, 'usr'))],
  ['that leads to no CID', (home, store) => link(`${store}/hello`, join(home, 'hello'))],
  ['below the mount', (_, store) => `${store}/bafkqaaa/x`],
]
for (const [title, make] of REFUSED) {
  test(`a link ${title} gets no auto pin`, async (t) => {
    const store = await temporaryStore(t)
    const path = make(await temporaryDirectory(t), store.paths.store)
    await assert.rejects(autoPin(store, path, { prog: 'x' }), (error) => hasCode(error, 'NOT_SYMLINK'))
    assert.deepEqual(await listPins(store), [])
  })
}

test('a link over other links is followed until it enters the store', async (t) => {
  const store = await temporaryStore(t)
  const home = await temporaryDirectory(t)
  const { root } = await addTree(store, 'a')
  generation(store, 1, root)
  current(store, 1)
  mkdirSync(join(home, 'real', 'deep'), { recursive: true })
  symlinkSync('real/deep', join(home, 'short'))
  link(join(store.paths.profilesPerUser, 'bob', 'current'), join(home, 'profile'))
  const path = link('../../profile/bin/x', join(home, 'real', 'deep', 'x'))
  const { cid } = await autoPin(store, join(home, 'short', 'x'), { prog: 'x' })
  assert.equal(String(cid), String(root))
  assert.equal((await listPins(store))[0]?.path, join(realpathSync(join(path, '..')), 'x'))
})

test('roots are found in a prefix that is reached by a link, and in one that was moved', async (t) => {
  const place = await temporaryDirectory(t)
  symlinkSync('real', join(place, 'prefix'))
  mkdirSync(join(place, 'real'))
  const store = Store.open(join(place, 'prefix'))
  const { root } = await pinTree(store, 'a')
  generation(store, 1, root)
  current(store, 1)
  store.close()
  assert.deepEqual(
    (await roots(store)).map(({ kind, current: now }) => [kind, now]),
    [
      ['pin', undefined],
      ['generation', true],
    ],
  )
  unlinkSync(join(place, 'prefix'))
  renameSync(join(place, 'real'), join(place, 'moved'))
  assert.equal((await roots(new Store(Store.open(join(place, 'moved')).paths))).length, 2)
})

test('profiles that were moved to another disk are still roots', async (t) => {
  const store = await temporaryStore(t)
  const disk = await temporaryDirectory(t)
  const { root } = await addTree(store, 'a')
  link(`${store.paths.store}/${root}`, join(disk, 'bob', 'generations', '1'))
  symlinkSync(join(disk, 'bob'), join(store.paths.profilesPerUser, 'bob'))
  assert.deepEqual(
    (await roots(store)).map(({ kind, number }) => [kind, number]),
    [['generation', 1]],
  )
})

test('why names each root, and a way through the DAG', async (t) => {
  const store = await temporaryStore(t)
  const made = await pinTree(store, 'tool')
  generation(store, 1, made.root)
  const leaf = [...made.dag.blocks.values()].find(
    ({ bytes }) => Buffer.from(bytes).toString() === 'tool part 1',
  )!
  const answers = await why(store, leaf.cid)
  assert.deepEqual(
    answers.map(({ root, path }) => [root.kind, path.map(({ name }) => name)]),
    [
      ['pin', [undefined, 'bin', 'tool', undefined]],
      ['generation', [undefined, 'bin', 'tool', undefined]],
    ],
  )
  assert.equal(String(answers[0]?.path.at(-1)?.cid), String(leaf.cid))
})

test('why is silent about what nothing keeps', async (t) => {
  const store = await temporaryStore(t)
  await pinTree(store, 'kept')
  assert.deepEqual(await why(store, (await addTree(store, 'dead')).root), [])
})

test('why reads names through the shards of a large directory', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const entries = Array.from({ length: 200 }, (_, index) => ({
    name: `file ${index}`,
    cid: dag.raw(`${index}`),
  }))
  const root = dag.hamt(entries, 16)
  await putDag(store, dag)
  await addPin(store, { prog: 'large', cid: root })
  const [answer] = await why(store, entries[123]!.cid)
  assert.equal(answer?.path.at(-1)?.name, 'file 123')
})

test('why finds a way where most of the DAG leads nowhere', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  let down = dag.raw('bottom')
  for (let level = 0; level < 40; level++) down = dag.directory({ a: down, b: down })
  const target = dag.raw('target')
  const root = dag.directory({ down, other: dag.directory({ target }) })
  await putDag(store, dag)
  await addPin(store, { prog: 'x', cid: root })
  const [answer] = await why(store, target)
  assert.deepEqual(
    answer?.path.map(({ name }) => name),
    [undefined, 'other', 'target'],
  )
  assert.ok(tryParseCid(String(answer?.path[0]?.cid)))
})
