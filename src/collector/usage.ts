// Who takes how much of the store. One walk over the index, then one pass over the
// nodes, parents first, in which each gets the set of those that lead to it. Sets
// are kept once and named by a number, for most blocks have the set of a neighbour.

import { lstatSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type BlockKey, blockKey, CID, rawCidOfKey } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { type Amount, addAmount as add, allocated, noAmount } from './amount.ts'
import { LabelSets } from './label-sets.ts'
import { LinkGraph } from './link-graph.ts'
import { MAX_NAMED } from './mark.ts'
import { Flags } from './numbers.ts'
import type { CollectionProgress } from './options.ts'

/** Block files between two turns of the event loop: a few ms of work. */
const FILES_A_TURN = 1024

/** Something that keeps DAGs, and single blocks, alive. */
export type Owner = {
  cids: readonly CID[]
  blocks?: readonly BlockKey[]
  /** owners with the same group are looked at together as well */
  group?: string
}

/** A DAG below owners, and which of them (by their places) hold it as this part. */
export type Part = { cid: CID; heldBy: readonly number[] }

/** `unique` is what would be free if this one went and all others stayed; the rest of `total` is shared. */
export type Usage = { total: Amount; unique: Amount }

export type StoreUsage = {
  /** in the order of what was asked for */
  owners: Usage[]
  parts: Usage[]
  groups: Map<string, Usage>
  /** block files that some owner leads to, and the others; together they are all that there are */
  kept: Amount
  dead: Amount
  /** how many blocks some owner leads to that have no file, and MAX_NAMED of them at most; damaged nodes are among them */
  lost: { blocks: number; cids: CID[] }
}

export type UsageOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: CollectionProgress) => void) | undefined
}

/**
 * Measures owners and parts by the block files that there are. Of a
 * part unique is what no other part has, and no owner leads to but those that hold it.
 * Changes nothing; beside a collection or an add the figures are of no single instant.
 */
export async function measureUsage(
  store: Store,
  { owners, parts = [] }: { owners: readonly Owner[]; parts?: readonly Part[] },
  options: UsageOptions = {},
): Promise<StoreUsage> {
  const sets = new LabelSets(owners.length + parts.length)
  const graph = new LinkGraph()
  const labels = new Map<number, number[]>()
  const give = (cid: CID, label: number) => {
    const node = graph.add(cid)
    labels.set(node, [...(labels.get(node) ?? []), label])
  }
  for (const [label, { cids }] of owners.entries()) for (const cid of cids) give(cid, label)
  for (const [index, { cid }] of parts.entries()) give(cid, owners.length + index)
  await graph.walk(store, {
    signal: options.signal,
    onProgress: (blocks) => options.onProgress?.({ step: 'mark', blocks }),
  })
  store.flush()
  const single = new Map<BlockKey, number[]>()
  for (const [label, { blocks = [] }] of owners.entries()) {
    for (const key of blocks) single.set(key, [...(single.get(key) ?? []), label])
  }
  const setOf = spread(graph, sets, labels)
  const there = new Flags()
  const amounts = await weigh(store, { graph, sets, setOf, single, there }, options)
  return { ...summarize(amounts, sets, { owners, parts }), lost: findLost(graph, there) }
}

/** What identity CIDs carry has no block. */
function findLost(graph: LinkGraph, there: Flags): StoreUsage['lost'] {
  const cids = new Map(graph.unreadable.map((cid) => [blockKey(cid), cid]))
  const keys = new Set<BlockKey>(cids.keys())
  for (const [number, key, codec] of graph.nodes()) {
    if (there.isUp(number) || keys.has(key) || key.startsWith(IDENTITY)) continue
    keys.add(key)
    if (cids.size < MAX_NAMED) cids.set(key, CID.createV1(codec, rawCidOfKey(key).multihash))
  }
  return { blocks: keys.size, cids: [...cids.values()] }
}

/** The code that the multihash of an identity CID begins with. */
const IDENTITY = '\0'

/** By node the number of the set of labels that lead to it. */
function spread(graph: LinkGraph, sets: LabelSets, labels: ReadonlyMap<number, number[]>): Int32Array {
  const setOf = new Int32Array(graph.size)
  const { starts, links } = graph.parents()
  for (const node of graph.parentsFirst()) {
    const own = labels.get(node)
    const from = starts[node]!
    const to = starts[node + 1]!
    const first = from < to ? setOf[links[from]!]! : 0
    let alike = own === undefined
    for (let at = from + 1; alike && at < to; at++) alike = setOf[links[at]!] === first
    if (alike) {
      setOf[node] = first
      continue
    }
    sets.begin()
    for (const label of own ?? []) sets.include(label)
    for (let at = from; at < to; at++) sets.unite(setOf[links[at]!]!)
    setOf[node] = sets.end()
  }
  return setOf
}

type Weighed = {
  graph: LinkGraph
  sets: LabelSets
  setOf: Int32Array
  single: ReadonlyMap<BlockKey, number[]>
  /** of the nodes that have a file, the flag is raised */
  there: Flags
}

/** By set of labels what lies in block files; the set 0 is what nobody leads to. */
async function weigh(
  store: Store,
  { graph, sets, setOf, single, there }: Weighed,
  { signal, onProgress }: UsageOptions,
): Promise<Amount[]> {
  const amounts: Amount[] = []
  let listed = 0
  for (const { key, file } of store.blocks.list()) {
    if (++listed % FILES_A_TURN === 0) {
      onProgress?.({ step: 'list', blocks: listed })
      await nextTurn()
      signal?.throwIfAborted()
    }
    const stats = lstatSync(file, { throwIfNoEntry: false })
    if (stats === undefined) continue
    sets.begin()
    for (const node of graph.nodesOf(key)) {
      sets.unite(setOf[node]!)
      there.raise(node)
    }
    for (const label of single.get(key) ?? []) sets.include(label)
    const set = sets.end()
    const amount = amounts[set] ?? noAmount()
    add(amount, { blocks: 1, bytes: stats.size, diskBytes: allocated(stats) })
    amounts[set] = amount
  }
  return amounts
}

function summarize(
  amounts: readonly (Amount | undefined)[],
  sets: LabelSets,
  { owners, parts }: { owners: readonly Owner[]; parts: readonly Part[] },
): Omit<StoreUsage, 'lost'> {
  const nothing = (): Usage => ({ total: noAmount(), unique: noAmount() })
  const ofOwners = owners.map(nothing)
  const ofParts = parts.map(nothing)
  const groups = new Map(owners.flatMap(({ group }) => (group === undefined ? [] : [[group, nothing()]])))
  const holders = parts.map(({ heldBy }) => new Set(heldBy))
  const kept = noAmount()
  const dead = noAmount()
  for (const [set, amount] of amounts.entries()) {
    if (amount === undefined) continue
    const labels = sets.labels(set)
    const leading = labels.filter((label) => label < owners.length)
    const within = labels.filter((label) => label >= owners.length).map((label) => label - owners.length)
    add(leading.length > 0 ? kept : dead, amount)
    for (const owner of leading) count(ofOwners[owner]!, amount, leading.length === 1)
    const named = new Set(leading.map((owner) => owners[owner]!.group))
    for (const group of named) {
      if (group !== undefined) count(groups.get(group)!, amount, named.size === 1)
    }
    for (const part of within) {
      const alone = within.length === 1 && leading.every((owner) => holders[part]!.has(owner))
      if (leading.length > 0) count(ofParts[part]!, amount, alone)
    }
  }
  return { owners: ofOwners, parts: ofParts, groups, kept, dead }
}

function count({ total, unique }: Usage, amount: Amount, alone: boolean): void {
  add(total, amount)
  if (alone) add(unique, amount)
}
