// Everything that is reachable from a root. Closure is DAG reachability, so this
// walk is what completeness, sizes, export and the collector stand on (invariants
// 2 and 4). It keeps its place in memory of its own, not on the stack, and goes
// into a node once: neither deep DAGs nor ones that repeat hurt it (invariant 7).

import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode, PkgError } from '../../errors.ts'
import type { Blocks } from '../blocks/blocks.ts'
import { type BlockKey, blockKey, CID, RAW } from '../cid.ts'
import type { LinkIndex } from './index-db.ts'
import { LinkStack } from './link-stack.ts'
import { packedLinksOf } from './links.ts'
import { NO_LINKS, packLinks, unpackLinks } from './packed-links.ts'

/** Blocks between two turns of the event loop: some ms of work. */
const BLOCKS_A_TURN = 1024

/** An error names so many missing blocks. */
const NAMED = 3

/** What a walk needs of a store: links, packed where it has them so. */
export type Links = {
  children(cid: CID): readonly CID[]
  packedChildren?(cid: CID): Buffer
}

/** What it takes to tell whether a DAG is whole. */
export type ReadableStore = Links & { readonly blocks: Blocks; readonly index: LinkIndex; flush(): void }

export type ClosureOptions = {
  /**
   * Called for a node whose links cannot be had: its block is missing, corrupt,
   * of an unknown hash, or the disk fails. The walk goes on without what lies
   * below it; without `onMissing` it throws.
   */
  onMissing?: (cid: CID, error: unknown) => void
}

/**
 * The CIDs reachable from `roots`, themselves included, depth first in the order
 * of their links. Each block comes once, whatever codecs it is linked by; what
 * identity CIDs carry is walked through but not given: it has no block. Raw
 * leaves are given without looking whether they are there. A node that is not of
 * its codec (BAD_NODE) reaches nothing.
 */
export function* closure(
  store: Links,
  roots: Iterable<CID>,
  { onMissing }: ClosureOptions = {},
): Generator<CID> {
  const given = new Set<BlockKey>()
  // By codec too: the same bytes are a leaf as raw, and a node as dag-pb.
  const entered = new Set<string>()
  const stack = new LinkStack(roots, (node) => linksIn(store, node, onMissing))
  while (stack.next()) {
    const { codec, isIdentity } = stack
    // It has neither a block nor links.
    if (isIdentity && codec === RAW) continue
    const { key } = stack
    if (!isIdentity && !given.has(key)) {
      given.add(key)
      yield stack.cid
    }
    if (codec === RAW) continue
    const node = `${codec} ${key}`
    if (entered.has(node)) continue
    entered.add(node)
    stack.enter(stack.cid)
  }
}

function linksIn(store: Links, cid: CID, onMissing: ClosureOptions['onMissing']): Buffer {
  try {
    return store.packedChildren?.(cid) ?? packLinks(store.children(cid))
  } catch (error) {
    if (hasCode(error, 'BAD_NODE')) return NO_LINKS
    const unreadable = error instanceof PkgError || (error instanceof Error && 'errno' in error)
    if (onMissing === undefined || !unreadable) throw error
    onMissing(cid, error)
    return NO_LINKS
  }
}

/** The CIDs below `roots` whose block files are not there, at most `limit`; below a missing node nothing is known. */
export function missingBlocks(
  store: ReadableStore,
  roots: CID | Iterable<CID>,
  limit = Number.POSITIVE_INFINITY,
): CID[] {
  const missing = new Map<BlockKey, CID>()
  for (const _ of look(store, roots, missing)) if (missing.size >= limit) break
  return [...missing.values()]
}

/** The same for a process that others wait for: it does other things in between. */
export async function missingBlocksInTurns(
  store: ReadableStore,
  roots: CID | Iterable<CID>,
  limit = Number.POSITIVE_INFINITY,
): Promise<CID[]> {
  const missing = new Map<BlockKey, CID>()
  let looked = 0
  for (const _ of look(store, roots, missing)) {
    if (missing.size >= limit) break
    if (++looked % BLOCKS_A_TURN === 0) await nextTurn()
  }
  return [...missing.values()]
}

/** Yields after each block. */
function* look(
  store: ReadableStore,
  roots: CID | Iterable<CID>,
  missing: Map<BlockKey, CID>,
): Generator<undefined> {
  const note = (cid: CID) => missing.set(blockKey(cid), cid)
  for (const cid of closure(store, asList(roots), { onMissing: note })) {
    // Links may be known from the index although the block has gone.
    if (!store.blocks.has(cid)) note(cid)
    yield
  }
}

/** True when every block below `roots` has its file. Their bytes are not looked at. */
export function hasAll(store: ReadableStore, roots: CID | Iterable<CID>): boolean {
  return missingBlocks(store, roots, 1).length === 0
}

/** The links of blocks as they are read from them: for whoever opens no index. */
export function linksOfBlocks(blocks: Blocks): Links & { readonly blocks: Blocks } {
  const packedChildren = (cid: CID) => packedLinksOf(cid, blocks.get(cid))
  return { blocks, packedChildren, children: (cid) => unpackLinks(packedChildren(cid)) }
}

/**
 * *Size*, wherever one is shown of a package or another DAG: the bytes of all blocks that it
 * reaches, each counted once, so it is the same on every machine that has all of it. Missing
 * ones count with 0.
 */
export function closureSize(
  store: Links & Pick<ReadableStore, 'blocks'>,
  roots: CID | Iterable<CID>,
): { blocks: number; bytes: number } {
  const size = { blocks: 0, bytes: 0 }
  for (const cid of closure(store, asList(roots), { onMissing: () => {} })) {
    size.blocks += 1
    size.bytes += store.blocks.size(cid) ?? 0
  }
  return size
}

/**
 * Returns when every block of the DAG has its file. Looks each time, also at a
 * DAG that was complete before: since then a block may have been found damaged, or
 * its file lost. Links come from the index and nothing is read, so 20,000 blocks
 * take about 0.1 s. Throws INCOMPLETE naming the root and the first of what is
 * missing. Protect the root (`AddSession.protect`) before asking: the answer could be old.
 */
export function requireComplete(store: ReadableStore, root: CID): void {
  refuseMissing(store, root, missingBlocks(store, root, NAMED + 1))
}

/** The same for a process that others wait for. */
export async function requireCompleteInTurns(store: ReadableStore, root: CID): Promise<void> {
  refuseMissing(store, root, await missingBlocksInTurns(store, root, NAMED + 1))
}

function refuseMissing(store: ReadableStore, root: CID, missing: readonly CID[]): void {
  if (missing.length === 0) return
  // Whoever adds them again may be killed before they are on stable storage.
  store.index.clearComplete((cid) => cid.equals(root.toV1()))
  const more = missing.length > NAMED ? ' and more' : ''
  throw new PkgError(
    'INCOMPLETE',
    `${root} is not whole here: missing ${missing.slice(0, NAMED).join(', ')}${more}`,
    {
      hint: 'Add or import it again.',
    },
  )
}

function asList(roots: CID | Iterable<CID>): Iterable<CID> {
  const root = CID.asCID(roots)
  return root === null ? (roots as Iterable<CID>) : [root]
}
