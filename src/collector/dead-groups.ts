// Why dead blocks are dead, as far as it can be known: for people who look at a
// dry run. Nothing is decided by it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { type CID, DAG_PB, RAW } from '../store/cid.ts'
import { isPlain, plainCid, visitLinks } from '../store/links/packed-links.ts'
import type { Store } from '../store/store.ts'
import { type Amount, noAmount } from './amount.ts'
import { BlockSet } from './block-set.ts'
import type { DeadBlocks } from './dead-blocks.ts'
import { Flags, NumberStack } from './numbers.ts'
import type { Generation } from './retention.ts'

/**
 * Dead blocks of one reason. Each dead block is in one group, the first whose root
 * reaches it, so the figures of all groups add up to those of the collection.
 */
export type DeadGroup = {
  /**
   * `generation`: only an old generation that the policy lets go reached them;
   * `auto-pin`: only an auto pin did whose link its owner deleted;
   * `complete`: a DAG that was whole here once, so it was pinned, installed or added, and that nothing keeps now;
   * `unfinished`: nothing is known of a whole DAG: an add that did not end, what a collection before this one
   * left of something, or an index that was rebuilt since
   */
  why: 'generation' | 'auto-pin' | 'complete' | 'unfinished'
  /** the top of what is dead; none for `unfinished` */
  cid?: CID
  /** of a generation: the directory of its profile, and its number */
  profile?: string
  number?: number
  /** of a generation its link, of an auto pin the user's own link */
  path?: string
  /** what the DAG was called, where whoever asked gave a way to find out (GroupOptions) */
  name?: string
} & Amount

/** More than a table of numbers of 16 bits takes is of no use to anybody either. */
const MAX_GROUPS = 60_000

/** What is known of DAGs that were alive. */
export type Gone = {
  generations: readonly Generation[]
  autoPins: readonly { path: string; cid: CID }[]
}

export type GroupOptions = {
  alive: BlockSet
  gone: Gone
  signal?: AbortSignal | undefined
  /** what the DAG of a group was called; asked before anything is deleted, for the largest groups */
  nameDead?: ((group: DeadGroup) => string | undefined) | undefined
}

/** More names than anybody reads: each costs some blocks to be read. */
const MAX_NAMED = 100

/**
 * Puts every dead block into a group, and gives the groups, without figures, in the
 * order of their numbers (`DeadBlocks.groupOf`, from 1 on). Reads the index alone:
 * below a node that it does not know, blocks count as `unfinished`.
 */
export async function groupDead(
  store: Store,
  dead: DeadBlocks,
  { alive, gone, signal, nameDead }: GroupOptions,
): Promise<DeadGroup[]> {
  const none = noAmount()
  const isDead = (cid: CID) => !alive.has(cid.multihash.bytes)
  const complete = store.index.complete().filter(isDead)
  const below = new Below(store, alive)
  for (const cid of complete) {
    below.enter(cid, { self: false })
    await nextTurn()
    signal?.throwIfAborted()
  }
  const groups: (DeadGroup & { cid: CID })[] = [
    ...gone.generations.map(({ profile, number, path, cid }) => {
      return { why: 'generation' as const, cid, profile, number, path, ...none }
    }),
    ...gone.autoPins.map(({ path, cid }) => ({ why: 'auto-pin' as const, cid, path, ...none })),
    ...complete.filter((cid) => !below.has(cid)).map((cid) => ({ why: 'complete' as const, cid, ...none })),
  ]
  groups.splice(MAX_GROUPS)
  const found = new Below(store, alive)
  for (const [index, { cid }] of groups.entries()) {
    found.enter(cid, {
      meet: (digest) => {
        const number = dead.plain.idOf(digest, 0)
        if (number !== undefined) dead.group(number, index + 1)
      },
    })
    await nextTurn()
    signal?.throwIfAborted()
  }
  for (let number = 0; number < dead.count; number++) dead.group(number, groups.length + 1)
  const all: DeadGroup[] = [...groups, { why: 'unfinished', ...none }]
  if (nameDead) nameLargest(all, dead, nameDead)
  return all
}

function nameLargest(
  groups: DeadGroup[],
  dead: DeadBlocks,
  nameDead: NonNullable<GroupOptions['nameDead']>,
): void {
  const bytes = new Float64Array(groups.length)
  for (let number = 0; number < dead.count; number++) {
    bytes[dead.groupOf(number) - 1]! += dead.amount(number).bytes
  }
  const largest = [...groups.keys()].sort((a, b) => bytes[b]! - bytes[a]!).slice(0, MAX_NAMED)
  for (const at of largest) {
    const name = nameDead(groups[at]!)
    if (name !== undefined) groups[at]!.name = name
  }
}

type EnterOptions = { self?: boolean; meet?: (digest: Uint8Array) => void }

/** The blocks below some nodes, as far as they are dead and linked by sha2-256; each is met once. */
class Below {
  readonly #store: Store
  readonly #alive: BlockSet
  readonly #seen = new BlockSet()
  readonly #expanded = new Flags()
  readonly #waiting = new NumberStack()

  constructor(store: Store, alive: BlockSet) {
    this.#store = store
    this.#alive = alive
  }

  has(cid: CID): boolean {
    return this.#seen.has(cid.multihash.bytes)
  }

  enter(cid: CID, { self = true, meet }: EnterOptions): void {
    const add = (codec: number, bytes: Uint8Array, at: number) => {
      if (this.#alive.hasDigest(bytes, at)) return
      const before = this.#seen.ids
      const id = this.#seen.addDigest(bytes, at)
      if (id === before) meet?.(this.#seen.digest(id))
      if (codec === DAG_PB && this.#expanded.raise(id)) this.#waiting.push(id)
    }
    const visit = (packed: Uint8Array) =>
      visitLinks(packed, {
        plain: (codec, at) => add(codec, packed, at),
        other: (child) => isPlain(child) && add(child.code, child.multihash.bytes, 2),
      })
    if (self && isPlain(cid)) add(cid.code, cid.multihash.bytes, 2)
    else if (cid.code !== RAW) visit(this.#store.index.packedChildren(cid.toV1().bytes) ?? new Uint8Array())
    for (let id = this.#waiting.pop(); id !== undefined; id = this.#waiting.pop()) {
      visit(this.#store.index.packedChildren(plainCid(DAG_PB, this.#seen.digest(id))) ?? new Uint8Array())
    }
  }
}
