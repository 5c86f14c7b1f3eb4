// Healing: blocks that are missing are taken from wherever somebody still has
// them: a CAR, a directory as it was imported, another prefix. Sources are read
// only and trusted with nothing: every block is verified, and only those that are
// missing are taken (invariant 1).

import { hasCode } from '../../errors.ts'
import { type AddSession, withAdd } from '../add/add.ts'
import type { Block } from '../add/writer.ts'
import { type BlockKey, blockKey, type CID, RAW } from '../cid.ts'
import { missingBlocks } from '../links/closure.ts'
import { linksOf } from '../links/links.ts'
import type { Store } from '../store.ts'
import { kindOf, type SourceKind, TAKE, type WantedBlocks } from './heal-sources.ts'

export type HealSource = { path: string; kind: SourceKind; blocks: number; bytes: number }

/** What each source gave. What is missing still, `missingBlocks` says. */
export type Healed = { blocks: number; bytes: number; sources: HealSource[] }

export type HealOptions = {
  /** paths; each is asked for what those before it lack */
  from: readonly string[]
  signal?: AbortSignal | undefined
  onProgress?: ((healed: Healed) => void) | undefined
  /** take nothing, and say what would be taken: what is found goes here, and counts as there from then on */
  finds?: Finds | undefined
}

/** What a healing would take. */
export interface Finds {
  has(cid: CID): boolean
  add(block: Block): void
  /** what is lacking still, with what was found */
  missing(): CID[]
}

/**
 * Takes what is missing below `roots` from these sources; a damaged file counts as
 * missing once it was found, so verify first. When it returns, what it took is on
 * stable storage, and who reads the mount gets it. Running it again does what is
 * left. Throws NOT_FOUND for a source that is not there, BAD_CAR for one that lies
 * (what came before that is kept), and what writing throws.
 */
export async function healStore(
  store: Store,
  roots: readonly CID[],
  { from, signal, onProgress, finds }: HealOptions,
): Promise<Healed> {
  const sources = from.map((path): HealSource => ({ path, kind: kindOf(path), blocks: 0, bytes: 0 }))
  const healed: Healed = { blocks: 0, bytes: 0, sources }
  await withAdd(store, async (add) => {
    const wanted = new Wanted(add, { finds, onTaken: () => onProgress?.(healed) })
    // An import makes what is below a node before the node: what that needs, the next round asks for.
    for (let before = -1; before < healed.blocks; ) {
      before = healed.blocks
      wanted.set(finds?.missing() ?? missingBlocks(store, roots))
      for (const source of sources) {
        signal?.throwIfAborted()
        if (wanted.size === 0) break
        const taken = await wanted.counting(() => TAKE[source.kind](source.path, wanted, signal))
        for (const sum of [healed, source]) {
          sum.blocks += taken.blocks
          sum.bytes += taken.bytes
        }
      }
      if (finds === undefined) await add.commit()
    }
  })
  return healed
}

/** Blocks that are looked for; offered one by one, verified by whoever offers. */
class Wanted implements WantedBlocks {
  readonly #add: AddSession
  readonly #finds: Finds | undefined
  readonly #onTaken: () => void
  #cids = new Map<BlockKey, CID>()
  #taken = { blocks: 0, bytes: 0 }

  constructor(add: AddSession, { finds, onTaken }: Pick<HealOptions, 'finds'> & { onTaken: () => void }) {
    this.#add = add
    this.#finds = finds
    this.#onTaken = onTaken
  }

  get size(): number {
    return this.#cids.size
  }

  cids(): Iterable<CID> {
    return this.#cids.values()
  }

  get store(): Store {
    return this.#add.store
  }

  set(cids: readonly CID[]): void {
    this.#cids = new Map(cids.map((cid) => [blockKey(cid), cid]))
  }

  has(cid: CID): boolean {
    return this.#cids.has(blockKey(cid))
  }

  async take(blocks: readonly Block[]): Promise<void> {
    const wanted = blocks.filter(({ cid }) => this.has(cid))
    if (wanted.length === 0) return
    if (this.#finds === undefined) await this.#add.put(wanted)
    for (const { cid, bytes } of wanted) {
      const own = this.#cids.get(blockKey(cid))
      if (own === undefined) continue
      this.#finds?.add({ cid: own, bytes })
      this.#cids.delete(blockKey(cid))
      this.#taken.blocks += 1
      this.#taken.bytes += bytes.length
      this.#want(childrenOf(own, bytes))
    }
    this.#onTaken()
  }

  /** What was below a missing node nobody knew: a CAR and a prefix have it next. */
  #want(children: readonly CID[]): void {
    for (const cid of children) {
      if (!this.store.blocks.has(cid) && !this.#finds?.has(cid)) this.#cids.set(blockKey(cid), cid)
    }
  }

  /** Runs something, and says what was taken meanwhile. */
  async counting(run: () => Promise<void>): Promise<{ blocks: number; bytes: number }> {
    this.#taken = { blocks: 0, bytes: 0 }
    await run()
    return this.#taken
  }
}

/** The links of a block; none where it is not of its codec. */
export function childrenOf(cid: CID, bytes: Uint8Array): readonly CID[] {
  try {
    return cid.code === RAW ? [] : linksOf(cid, bytes)
  } catch (error) {
    if (hasCode(error, 'BAD_NODE')) return []
    throw error
  }
}
