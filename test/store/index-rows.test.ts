// Rows of the link index that lie: what looks like links, and is not what was
// written, must not decide what is deleted.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { runCollection } from '../../src/collector/collect.ts'
import { IDENTITY, RAW } from '../../src/store/cid.ts'
import { packLinks, unpackLinks, visitLinks } from '../../src/store/links/packed-links.ts'
import { Store } from '../../src/store/store.ts'
import { addTree, missing, pinTree } from '../collector/scenario.ts'
import { Dag, identityCid } from '../fixtures/dag.ts'
import { seededRandom } from '../helpers/disk-tree.ts'
import { temporaryStore } from '../helpers/store.ts'

const SEED = 20261121

/** Changes what the index says, without its knowing. */
function change(file: string, fn: (db: Database.Database) => void): void {
  const db = new Database(file)
  try {
    fn(db)
  } finally {
    db.close()
  }
}

type Row = { cid: Buffer; children: Buffer }

const rowsOf = (db: Database.Database) => db.prepare('SELECT cid, children FROM nodes').all() as Row[]

test('a row with any one bit turned, or with the links of another node, is not believed', async (t) => {
  const store = await temporaryStore(t)
  const random = seededRandom(SEED)
  const kept = await pinTree(store, 'kept', 20)
  for (let round = 0; round < 40; round++) {
    for (const { cid } of kept.dag.blocks.values()) store.children(cid)
    store.flush()
    change(store.paths.index, (db) => {
      const rows = rowsOf(db)
      assert.ok(rows.length >= 3)
      for (const [index, { cid, children }] of rows.entries()) {
        const other = rows[(index + 1) % rows.length]!.children
        children[Math.floor(random() * children.length)]! ^= 1 << Math.floor(random() * 8)
        db.prepare('UPDATE nodes SET children = ? WHERE cid = ?').run(round % 4 === 0 ? other : children, cid)
      }
    })
    const { incomplete } = await runCollection(store)
    assert.deepEqual([missing(store, kept.root), incomplete], [[], []], `round ${round}, seed ${SEED}`)
  }
})

test('a row that is wrong is written anew by whoever reads the block', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await pinTree(store, 'kept')
  const before = store.children(root).map(String)
  store.flush()
  const spoil = "UPDATE nodes SET children = substr(children, 1, length(children) - 1) || x'00'"
  change(store.paths.index, (db) => db.exec(spoil))
  assert.equal(store.index.children(root), undefined)
  assert.deepEqual(store.children(root).map(String), before)
  store.flush()
  assert.deepEqual(store.index.children(root)?.map(String), before)
})

test('keys that are none any more stop nobody, and go', async (t) => {
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept')
  const spoilt = ["x'01'", "'text'", '17', "x''"]
  change(store.paths.index, (db) => {
    for (const key of spoilt)
      db.exec(`INSERT INTO complete VALUES (${key}); INSERT INTO nodes VALUES (${key}, x'')`)
  })
  await addTree(store, 'dead')
  await runCollection(store)
  assert.deepEqual(missing(store, kept.root), [])
  assert.deepEqual(store.index.complete().map(String), [String(kept.root)])
  change(store.paths.index, (db) => {
    const left = db.prepare('SELECT count(*) FROM complete').pluck().get()
    assert.equal(left, 1)
  })
})

test('whatever bytes of the file are changed, nothing that is alive goes', async (t) => {
  const random = seededRandom(SEED)
  const store = await temporaryStore(t)
  const kept = await pinTree(store, 'kept', 20)
  store.close()
  const sound = readFileSync(store.paths.index)
  for (let round = 0; round < 30; round++) {
    const bytes = Buffer.from(sound)
    for (let count = 0; count < 1 + random() * 20; count++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    }
    writeFileSync(store.paths.index, bytes)
    for (const suffix of ['-wal', '-shm']) writeFileSync(store.paths.index + suffix, '')
    const again = new Store(store.paths)
    try {
      await runCollection(again)
      assert.deepEqual(missing(again, kept.root), [], `round ${round}, seed ${SEED}`)
    } finally {
      again.close()
    }
  }
})

test('links of any kind are visited as they are unpacked', () => {
  const dag = new Dag()
  const plain = [dag.raw('a'), dag.directory({}), dag.put(Buffer.from([0xa0]), 0x71)]
  const others = [
    dag.directory({}).toV0(),
    identityCid(Buffer.from('carried'), 0x71),
    identityCid(Buffer.from('carried')),
    dag.put(Buffer.from('{}'), 0x0129),
  ]
  const links = [...plain, ...others].flatMap((cid, index) => (index % 2 ? [cid] : [cid, plain[0]!]))
  const packed = packLinks(links)
  const seen: string[] = []
  visitLinks(packed, {
    plain: (codec, at) => seen.push(`${codec} ${packed.toString('hex', at, at + 32)}`),
    other: (cid) => seen.push(`${cid.code} ${Buffer.from(cid.multihash.digest).toString('hex')}`),
  })
  const all = unpackLinks(packed)
  assert.deepEqual(all.map(String), links.map(String))
  // A raw identity CID has neither a block nor links.
  const wanted = all.filter((cid) => cid.code !== RAW || cid.multihash.code !== IDENTITY)
  assert.deepEqual(
    seen,
    wanted.map((cid) => `${cid.code} ${Buffer.from(cid.multihash.digest).toString('hex')}`),
  )
  assert.ok(wanted.length < links.length)
})
