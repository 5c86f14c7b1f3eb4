// Wide directories in the mount: others get their turn while one is listed, blocks come and
// go within the cache's bound, and what is too wide to keep is listed by its names.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errnoOf, type PkgError } from '../../src/errors.ts'
import { BlockCache } from '../../src/mount/block-cache.ts'
import { StoreFileSystem } from '../../src/mount/handlers.ts'
import { sortByName, WideListing } from '../../src/mount/listing.ts'
import { prefixPaths } from '../../src/paths.ts'
import type { CID } from '../../src/store/cid.ts'
import { Dag, identityCid, type LinkFields } from '../fixtures/dag.ts'
import { widestDirectories } from '../fixtures/hostile-dags.ts'
import { seededRandom } from '../helpers/disk-tree.ts'

const SEED = 20261121

/** The mount's handlers over a DAG in memory, whose blocks come a turn of the event loop later. */
function mounted(dag: Dag, { cacheBytes = 2 ** 24, maxChildren = 1000 } = {}) {
  const source = {
    recycle() {},
    async blocks(cids: readonly CID[]) {
      await new Promise((resolve) => setImmediate(resolve))
      return cids.map((cid) => {
        try {
          return Uint8Array.from(dag.get(cid))
        } catch (error) {
          return error as PkgError
        }
      })
    },
  }
  const sizes = { sizes: async (cids: readonly CID[]) => Float64Array.from(cids, () => -1) }
  const cache = new BlockCache(source, { bytes: cacheBytes })
  return new StoreFileSystem({ paths: prefixPaths('/nowhere'), cache, sizes, maxChildren })
}

/** Runs something, and counts the turns that others had meanwhile. */
async function turnsDuring<T>(run: () => T | Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0
  let running = true
  const watch = (async () => {
    for (; running; turns++) await new Promise((resolve) => setImmediate(resolve))
  })()
  const result = await run()
  running = false
  await watch
  return { result, turns }
}

/** So many that their listings are made one after the other. */
const NAMES = 21_000

/** A sharded directory; in several directories, too. */
const dag = new Dag()
const leaf = dag.raw('leaf')
const names = Array.from({ length: NAMES }, (_, index) => `name ${index}`)
const root = dag.hamt(
  names.map((name) => ({ name, cid: leaf, tsize: 4 })),
  16,
)
names.sort()

for (const maxChildren of [1000, 100_000]) {
  test(`a sharded directory of 21,000 names is listed in turns, ${maxChildren} are kept`, async () => {
    // Less than its shards take.
    const fs = mounted(dag, { cacheBytes: 200_000, maxChildren })
    const { result, turns } = await turnsDuring(async () => [...(await fs.readdir(`/${root}`))])
    assert.deepEqual(result.map(({ name }) => name).sort(), names)
    assert.ok(result.every(({ mode }) => mode === 0o100000))
    assert.ok(turns >= 10, `${turns} turns`)
    for (const name of names.slice(0, 20)) assert.equal((await fs.getattr(`/${root}/${name}`)).size, 4)
    await assert.rejects(async () => fs.getattr(`/${root}/absent`), { code: 'NOT_FOUND' })
    // The same again: of what is not kept all is read once more.
    const again = [...(await fs.readdir(`/${root}`))]
    assert.deepEqual(again.map(({ name }) => name).sort(), names)
  })
}

test('many listings at once all end', async () => {
  const above = dag.directory(Array.from({ length: 5 }, (_, index) => ({ name: `${index}`, cid: root })))
  const fs = mounted(dag, { maxChildren: 20_500 })
  const listings = Array.from({ length: 5 }, async (_, index) => [
    ...(await fs.readdir(`/${above}/${index}`)),
  ])
  for (const listing of await Promise.all(listings)) assert.equal(listing.length, NAMES)
})

test('a shard that is missing fails the listing, and the next one waits for nobody', async () => {
  const lost = [...dag.blocks.entries()].filter(([, { cid }]) => cid.code !== 0x55 && !cid.equals(root))[7]!
  const fs = mounted(dag, { maxChildren: 10 })
  dag.blocks.delete(lost[0])
  await assert.rejects(async () => fs.readdir(`/${root}`), { code: 'MISSING_BLOCK' })
  dag.blocks.set(...lost)
  assert.equal([...(await fs.readdir(`/${root}`))].length, NAMES)
})

test('a block full of names is not listed before that is asked for, and in turns then', async () => {
  const dag = new Dag()
  const root = widestDirectories(dag, 1)
  const fs = mounted(dag, { maxChildren: 150_000 })
  await fs.getattr(`/${root}`)
  await fs.getattr(`/${root}/zz`)
  const { children } = fs.counts().tree as { children: number }
  assert.ok(children < 20_000, `${children} children in memory`)
  const { result, turns } = await turnsDuring(() => fs.readdir(`/${root}`))
  assert.deepEqual(
    Array.from(result, ({ name }) => name),
    Array.from({ length: 100_000 }, (_, index) => index.toString(36)),
  )
  assert.ok(turns >= 50, `${turns} turns`)
  assert.equal((await fs.getattr(`/${root}/zz`)).size, 0)
})

test('names that cannot be shown are left out of a wide directory too, each name is there once', async () => {
  const dag = new Dag()
  const cid = identityCid(Buffer.from(''))
  const other = identityCid(Buffer.from('other'))
  const links: LinkFields[] = Array.from({ length: 2500 }, (_, index) => ({ name: `${index}`, cid }))
  const bad = ['..', 'a/b', '', 'x\0', 'n'.repeat(256), Uint8Array.of(0xff)]
  links.push(...bad.map((name) => ({ name, cid })), { name: '7', cid: other }, { name: '..', cid })
  const root = dag.directory(links)
  const fs = mounted(dag, { maxChildren: 10_000 })
  const attributes = async (name: string) => await fs.getattr(`/${root}/${name}`)
  for (const name of ['..', '\ufffd', 'absent'])
    await assert.rejects(() => attributes(name), { code: 'NOT_FOUND' })
  assert.equal((await attributes('7')).size, 0)
  const names = Array.from(await fs.readdir(`/${root}`), ({ name }) => name)
  assert.deepEqual(
    names,
    links.slice(0, 2500).map(({ name }) => name),
  )
  assert.equal((await attributes('7')).size, 0)
})

test('more names than libfuse should take are refused: EFBIG', () => {
  const wide = new WideListing()
  const entry = { name: 'name', cid: identityCid(Buffer.from('')), tsize: 0 }
  const add = (times: number) => {
    for (let index = 0; index < times; index++) wide.add(entry, entry.cid)
  }
  add(2_000_000)
  assert.throws(
    () => add(1),
    (error) => errnoOf(error) === -27,
  )
})

test(`sorting in turns sorts as one sort does, seed ${SEED}`, async () => {
  const random = seededRandom(SEED)
  for (const length of [0, 1, 1999, 2000, 2001, 13_000]) {
    const names = new Set(Array.from({ length }, () => random().toString(36)))
    const entries = [...names].map((name) => ({ name, cid: identityCid(Buffer.from('')), tsize: 0 }))
    const sorted = await sortByName(entries)
    assert.deepEqual(
      sorted.map(({ name }) => name),
      [...names].sort(),
    )
  }
})
