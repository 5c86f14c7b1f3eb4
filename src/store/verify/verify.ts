// Going through all block files: do they hash to their names, and are the DAGs of
// roots whole. A file that does not is moved to the quarantine, so that adding its
// content again heals the store (invariant 1).

import { hasCode, PkgError } from '../../errors.ts'
import { blockFileSize } from '../blocks/block-file.ts'
import { leaveQuarantine, listQuarantine } from '../blocks/quarantine.ts'
import { type BlockKey, blockKey, type CID, sameBlock } from '../cid.ts'
import { closure, type Links } from '../links/closure.ts'
import { packLinks } from '../links/packed-links.ts'
import type { Store } from '../store.ts'
import type { Finds, Healed } from './heal.ts'
import { type ReadAllOptions, readAll } from './read-all.ts'

export type VerifyOptions = ReadAllOptions & {
  /** false: say what is wrong and what would be healed, and touch nothing */
  repair?: boolean
  /** DAGs that have to be whole; a function is asked when all blocks are read, and again before one is called incomplete */
  roots?: Iterable<CID> | (() => Promise<Iterable<CID>>)
  /** where to take what they lack from; see heal.ts */
  from?: readonly string[] | undefined
}

export type BadBlock = { cid: CID; file: string; why: string; quarantined: boolean }

export type Verified = {
  blocks: number
  bytes: number
  corrupt: BadBlock[]
  /** when what could be healed was, or would be; what they lack is missing, or damaged and in its place still */
  incompleteRoots: { cid: CID; missing: CID[] }[]
  /** what was taken, or would be */
  healed?: Healed
  /** what was found damaged, now or earlier, and has not come back; with those of `roots` that need it */
  quarantined: { cid: CID; file: string; neededBy: CID[] }[]
}

/**
 * Step 1 hashes every block file; a corrupt one goes to the quarantine. Step 2
 * looks whether the DAGs of `roots` are whole; those that are not lose their note
 * of completeness, and with `from` are healed as far as can be. Step 3 removes from
 * the quarantine what has come back. Codecs are unknown here: bad blocks are named
 * by raw CIDs.
 */
export async function verifyStore(store: Store, options: VerifyOptions = {}): Promise<Verified> {
  const { repair = true, from = [] } = options
  const result: Verified = { blocks: 0, bytes: 0, corrupt: [], incompleteRoots: [], quarantined: [] }
  for await (const { block, bytes, error } of readAll(store, options)) {
    result.blocks += 1
    result.bytes += bytes?.length ?? 0
    if (error === undefined) continue
    const quarantined = repair && hasCode(error, 'CORRUPT_BLOCK') && store.blocks.quarantine(block.cid)
    result.corrupt.push({ cid: block.cid, file: block.file, why: error.message, quarantined })
  }
  // Which DAGs a lost block belongs to nobody knows without a walk.
  if (result.corrupt.some(({ quarantined }) => quarantined)) store.index.clearComplete()
  const inPlace = new Set(
    result.corrupt.filter(({ quarantined }) => !quarantined).map(({ cid }) => blockKey(cid)),
  )
  const found = new Map<BlockKey, Buffer>()
  let roots = await rootsNow(options)
  const findIncomplete = () => incompleteOf(store, roots, { ...options, inPlace, found })
  result.incompleteRoots = findIncomplete()
  if (result.incompleteRoots.length > 0) {
    // What somebody let go of since, a collection may have taken.
    const still = new Set((await rootsNow(options)).map(String))
    roots = roots.filter((cid) => still.has(String(cid)))
    result.incompleteRoots = result.incompleteRoots.filter(({ cid }) => still.has(String(cid)))
  }
  if (from.length > 0 && result.incompleteRoots.length > 0) {
    const { childrenOf, healStore } = await import('./heal.ts')
    const { signal } = options
    const finds: Finds = {
      has: (cid) => found.has(blockKey(cid)),
      add: ({ cid, bytes }) => found.set(blockKey(cid), packLinks(childrenOf(cid, bytes))),
      missing: () => findIncomplete().flatMap(({ missing }) => missing),
    }
    result.healed = await healStore(store, roots, { from, signal, finds: repair ? undefined : finds })
    result.incompleteRoots = findIncomplete()
    if (repair) Object.assign(result, countBlocks(store))
  }
  lookIntoQuarantine(store, result, repair)
  return result
}

/** Each once. */
async function rootsNow({ roots = [] }: Pick<VerifyOptions, 'roots'>): Promise<CID[]> {
  const cids = typeof roots === 'function' ? await roots() : roots
  return [...new Map(Array.from(cids, (cid) => [String(cid), cid])).values()]
}

type Reckoned = {
  /** damaged blocks that lie in their places still */
  inPlace: ReadonlySet<BlockKey>
  /** blocks that a healing would take, with their links */
  found: ReadonlyMap<BlockKey, Buffer>
}

function incompleteOf(
  store: Store,
  roots: readonly CID[],
  { signal, inPlace, found }: Pick<VerifyOptions, 'signal'> & Reckoned,
): Verified['incompleteRoots'] {
  const links = linksAs(store, { inPlace, found })
  return roots.flatMap((cid) => {
    signal?.throwIfAborted()
    const missing = new Map<BlockKey, CID>()
    const note = (one: CID) => missing.set(blockKey(one), one)
    for (const one of closure(links, [cid], { onMissing: note })) {
      const key = blockKey(one)
      if (!found.has(key) && (inPlace.has(key) || !store.blocks.has(one))) note(one)
    }
    if (missing.size === 0) return []
    store.index.clearComplete((complete) => complete.equals(cid))
    return [{ cid, missing: [...missing.values()] }]
  })
}

/** Links of nodes that are damaged and in their place come from the index alone: who reads such a file moves it away. */
function linksAs(store: Store, { inPlace, found }: Reckoned): Links {
  return {
    children: (cid) => store.children(cid),
    packedChildren(cid) {
      const known = found.get(blockKey(cid)) ?? store.index.packedChildren(cid)
      if (known) return known
      if (inPlace.has(blockKey(cid))) throw new PkgError('CORRUPT_BLOCK', `block ${cid} is damaged`)
      return store.packedChildren(cid)
    },
  }
}

/** What is there now: blocks came back since they were counted. */
function countBlocks({ blocks }: Store): { blocks: number; bytes: number } {
  const sum = { blocks: 0, bytes: 0 }
  for (const { file } of blocks.list()) {
    sum.blocks += 1
    sum.bytes += blockFileSize(file) ?? 0
  }
  return sum
}

function lookIntoQuarantine(store: Store, result: Verified, repair: boolean): void {
  const corrupt = new Set(result.corrupt.map(({ cid }) => blockKey(cid)))
  for (const { cid, file } of listQuarantine(store.paths)) {
    if (!store.blocks.has(cid)) {
      const needs = ({ missing }: { missing: CID[] }) => missing.some((one) => sameBlock(one, cid))
      const neededBy = result.incompleteRoots.filter(needs).map((root) => root.cid)
      result.quarantined.push({ cid, file, neededBy })
    } else if (repair && !corrupt.has(blockKey(cid))) leaveQuarantine(store.paths, [cid])
  }
}
