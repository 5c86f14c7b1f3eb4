// Why something is alive: every root that reaches it, each with one way there
// through the DAG and the names along it.

import { hasCode } from '../errors.ts'
import { type BlockKey, blockKey, type CID, DAG_PB, nodeKey, RAW } from '../store/cid.ts'
import { LinkStack } from '../store/links/link-stack.ts'
import { NO_LINKS } from '../store/links/packed-links.ts'
import type { Store } from '../store/store.ts'
import { decodeNode } from '../store/unixfs/node.ts'
import type { Root } from './root.ts'
import { RootReader } from './roots.ts'

/** A node on the way, the root first; `name` is what the one before calls it, where it has a name for it. */
export type WhyStep = { cid: CID; name?: string }

export type Why = { root: Root; path: WhyStep[] }

/**
 * The roots that keep `cid` (by multihash), with a way to it. A block that only a
 * temp pin names by itself comes with that temp pin alone. Empty when nothing
 * keeps it: then the next collection takes it.
 */
export async function why(store: Store, cid: CID): Promise<Why[]> {
  const reader = new RootReader(store.paths)
  const { temp, links } = await reader.claims()
  const ways = new Ways(store, cid)
  const found: Why[] = []
  for (const root of [...links.roots, ...temp.roots, ...(await reader.processes()).roots]) {
    const way = ways.from(root.cid)
    if (way) found.push({ root, path: named(store, way) })
  }
  const key = blockKey(cid)
  if (temp.blocks.includes(key)) {
    const root: Root = {
      kind: 'temp',
      cid,
      name: 'a block that is being added',
      path: store.paths.tempPins,
      via: [],
    }
    found.push({ root, path: [{ cid }] })
  }
  return found
}

/** Finds ways to one block. What was walked for one root is known for the next, so all of them cost one walk. */
class Ways {
  readonly #store: Pick<Store, 'packedChildren'>
  readonly #target: BlockKey
  /** for every node that was left: the child that leads on, or null when none does */
  readonly #onward = new Map<string, CID | null>()

  constructor(store: Pick<Store, 'packedChildren'>, target: CID) {
    this.#store = store
    this.#target = blockKey(target)
  }

  from(root: CID): CID[] | undefined {
    if (!this.#leads(root)) return undefined
    const way = [root]
    for (let cid = root; blockKey(cid) !== this.#target; ) {
      cid = this.#onward.get(nodeKey(cid))!
      way.push(cid)
    }
    return way
  }

  /** Depth first, with a stack of its own: a DAG may be deeper than ours, and a node have 190,000 links. */
  #leads(root: CID): boolean {
    const stack = new LinkStack([root], (cid) => this.#links(cid))
    while (stack.next()) {
      const { codec, key } = stack
      const node = `${codec} ${key}`
      if (key === this.#target || this.#onward.get(node)) {
        // All that we are inside of lead there too.
        const inside = stack.nodes
        for (const [index, cid] of inside.entries()) {
          this.#onward.set(nodeKey(cid), inside[index + 1] ?? stack.cid)
        }
        return true
      }
      if (codec === RAW || this.#onward.has(node)) continue
      this.#onward.set(node, null)
      stack.enter(stack.cid)
    }
    return false
  }

  #links(cid: CID): Buffer {
    try {
      return this.#store.packedChildren(cid)
    } catch (error) {
      if (!hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK', 'BAD_NODE', 'UNSUPPORTED')) throw error
      return NO_LINKS
    }
  }
}

function named(store: Pick<Store, 'blocks'>, way: readonly CID[]): WhyStep[] {
  return way.map((cid, index) => {
    const name = index === 0 ? undefined : nameIn(store, way[index - 1]!, cid)
    return name ? { cid, name } : { cid }
  })
}

/** What a directory calls its child; inside a HAMT only the entries have names, shards and parts of a file have none. */
function nameIn(store: Pick<Store, 'blocks'>, parent: CID, child: CID): string | undefined {
  if (parent.code !== DAG_PB) return undefined
  try {
    const node = decodeNode(parent, store.blocks.get(parent))
    if (node.type === 'directory') {
      for (const { name, hash } of node.entries.values()) if (hash.equals(child)) return name
    }
    if (node.type !== 'hamt') return undefined
    const links = node.slots.map((_, index) => node.link(index))
    return links.find((link) => !link.isShard && link.hash.equals(child))?.name
  } catch (error) {
    if (hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK', 'BAD_NODE', 'NOT_UNIXFS', 'UNSUPPORTED'))
      return undefined
    throw error
  }
}
