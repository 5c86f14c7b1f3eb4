// Who takes how much: one walk must say what a walk for each owner would say.

import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { type Amount, addAmount, noAmount } from '../../src/collector/amount.ts'
import { LabelSets } from '../../src/collector/label-sets.ts'
import { measureUsage, type Owner, type Part } from '../../src/collector/usage.ts'
import { blockKey, CID, DAG_PB, RAW } from '../../src/store/cid.ts'
import { linksOf } from '../../src/store/links/links.ts'
import { Dag, identityCid } from '../fixtures/dag.ts'
import { seededRandom } from '../helpers/disk-tree.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'

/** Blocks below these CIDs by a walk of its own, which knows neither sets nor the index. */
function reach(dag: Dag, cids: readonly CID[], keys: Iterable<string> = []): Set<string> {
  const blocks = new Set(keys)
  const seen = new Set<string>()
  const stack = [...cids]
  for (let cid = stack.pop(); cid !== undefined; cid = stack.pop()) {
    if (seen.has(`${cid.code} ${blockKey(cid)}`)) continue
    seen.add(`${cid.code} ${blockKey(cid)}`)
    blocks.add(blockKey(cid))
    if (cid.code === DAG_PB) stack.push(...linksOf(cid, dag.get(cid)))
  }
  return blocks
}

/** Leaves and directories over one another, some leading to the same, some blocks by two codecs. */
function randomDag(random: () => number): { dag: Dag; cids: CID[] } {
  const dag = new Dag()
  const below = (limit: number) => Math.floor(random() * limit)
  const cids = Array.from({ length: 20 + below(30) }, (_, leaf) => dag.raw(`${leaf}`.padEnd(below(50), 'x')))
  const nodes = 20 + below(40)
  for (let node = 0; node < nodes; node++) {
    const entries = Array.from({ length: below(6) }, (_, name) => [
      `${node}-${name}`,
      cids[below(cids.length)]!,
    ])
    const cid = dag.directory(Object.fromEntries(entries) as Record<string, CID>)
    cids.push(cid)
    if (random() < 0.1) cids.push(CID.createV1(RAW, cid.multihash))
  }
  return { dag, cids }
}

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
for (const seed of SEEDS) {
  test(`owners, parts and groups of a random DAG, as by brute force (seed ${seed})`, async (t) => {
    const random = seededRandom(seed)
    const below = (limit: number) => Math.floor(random() * limit)
    const { dag, cids } = randomDag(random)
    const store = await temporaryStore(t)
    await putDag(store, dag)
    const any = () => cids[below(cids.length)]!
    const owners: Owner[] = Array.from({ length: 40 + below(5) }, () => ({
      cids: Array.from({ length: 1 + below(2) }, any),
      ...(random() < 0.2 && { blocks: [blockKey(any())] }),
      ...(random() < 0.5 && { group: `group ${below(3)}` }),
    }))
    const parts: Part[] = Array.from({ length: 6 }, () => ({
      cid: any(),
      heldBy: Array.from({ length: below(owners.length) }, () => below(owners.length)),
    }))
    const size = (key: string) => {
      const { size: bytes, blocks } = statSync(store.blocks.file(dagCid(dag, key)))
      return { blocks: 1, bytes, diskBytes: blocks * 512 }
    }
    const amount = (keys: Set<string>): Amount => {
      const sum = noAmount()
      for (const key of keys) addAmount(sum, size(key))
      return sum
    }
    const reached = owners.map(({ cids, blocks }) => reach(dag, cids, blocks))
    const union = (which: (owner: number) => boolean) =>
      new Set(reached.flatMap((keys, owner) => (which(owner) ? [...keys] : [])))
    const all = union(() => true)
    const found = await measureUsage(store, { owners, parts })

    const everything = new Set([...dag.blocks.values()].map(({ cid }) => blockKey(cid)))
    assert.deepEqual(found.kept, amount(all))
    assert.deepEqual(found.dead, amount(without(everything, all)))
    for (const [owner, usage] of found.owners.entries()) {
      assert.deepEqual(usage.total, amount(reached[owner]!))
      assert.deepEqual(
        usage.unique,
        amount(
          without(
            all,
            union((other) => other !== owner),
          ),
        ),
      )
    }
    for (const [group, usage] of found.groups) {
      const inside = union((owner) => owners[owner]!.group === group)
      assert.deepEqual(usage.total, amount(inside))
      const outside = union((owner) => owners[owner]!.group !== group)
      assert.deepEqual(usage.unique, amount(without(inside, outside)))
    }
    const partReach = parts.map(({ cid }) => reach(dag, [cid]))
    for (const [part, usage] of found.parts.entries()) {
      const mine = new Set([...partReach[part]!].filter((key) => all.has(key)))
      assert.deepEqual(usage.total, amount(mine))
      const others = partReach.filter((_, other) => other !== part)
      const foreign = union((owner) => !parts[part]!.heldBy.includes(owner))
      const shared = new Set([foreign, ...others].flatMap((keys) => [...keys]))
      assert.deepEqual(usage.unique, amount(without(mine, shared)))
    }
  })
}

function without(keys: Set<string>, others: Set<string>): Set<string> {
  return new Set([...keys].filter((key) => !others.has(key)))
}

function dagCid(dag: Dag, key: string): CID {
  return [...dag.blocks.values()].find(({ cid }) => blockKey(cid) === key)!.cid
}

test('a node inside an identity CID leads on, and is no block; a missing node is told of', async (t) => {
  const dag = new Dag()
  const leaf = dag.raw('leaf')
  const carried = identityCid(dag.get(dag.directory({ leaf })), DAG_PB)
  const gone = new Dag().directory({})
  const root = dag.directory({ carried, gone })
  const store = await temporaryStore(t)
  await putDag(store, dag)
  const { owners, lost } = await measureUsage(store, { owners: [{ cids: [root] }] })
  assert.equal(owners[0]?.total.blocks, 2)
  assert.deepEqual([lost.blocks, lost.cids.map(String)], [1, [String(gone)]])
})

test('what has no file is lost, also where the index knows its links, and where it has none', async (t) => {
  const dag = new Dag()
  const [leaf, other] = [dag.raw('leaf'), dag.raw('other')]
  const low = dag.directory({ leaf, other })
  const root = dag.directory({ low })
  const store = await temporaryStore(t)
  await putDag(store, dag)
  const owners = [{ cids: [root] }]
  assert.deepEqual((await measureUsage(store, { owners })).lost, { blocks: 0, cids: [] })
  for (const cid of [root, leaf]) store.blocks.delete(cid)
  const { lost, kept } = await measureUsage(store, { owners })
  assert.deepEqual(lost.cids.map(String).sort(), [root, leaf].map(String).sort())
  assert.deepEqual([lost.blocks, kept.blocks], [2, 2])
})

test('an index with a cycle in it ends the walk all the same', async (t) => {
  const dag = new Dag()
  const leaf = dag.raw('leaf')
  const low = dag.directory({ leaf })
  const high = dag.directory({ low })
  const store = await temporaryStore(t)
  await putDag(store, dag)
  const links = new Map([
    [String(low), [high, leaf]],
    [String(high), [low]],
  ])
  const lying = Object.assign(Object.create(store) as typeof store, {
    children: (cid: CID) => links.get(String(cid)) ?? [],
    flush() {},
  })
  const { owners } = await measureUsage(lying, { owners: [{ cids: [high] }] })
  assert.equal(owners[0]?.total.blocks, 3)
})

test('sets of labels are what sets are', () => {
  const random = seededRandom(11)
  const sets = new LabelSets(100)
  const plain = new Map<number, Set<number>>([[0, new Set()]])
  const numbers = new Map<string, number>([['', 0]])
  for (let round = 0; round < 500; round++) {
    const expected = new Set<number>()
    sets.begin()
    for (let step = Math.floor(random() * 4); step > 0; step--) {
      const label = Math.floor(random() * 100)
      const known = [...plain.keys()][Math.floor(random() * plain.size)]!
      if (random() < 0.5) {
        sets.include(label)
        expected.add(label)
      } else {
        sets.unite(known)
        for (const one of plain.get(known)!) expected.add(one)
      }
    }
    const number = sets.end()
    const ascending = [...expected].sort((a, b) => a - b)
    assert.deepEqual(sets.labels(number), ascending)
    const name = ascending.join()
    assert.equal(numbers.get(name) ?? number, number)
    numbers.set(name, number)
    plain.set(number, expected)
  }
})
