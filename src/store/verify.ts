// Going through all block files: do they hash to their names, and what do they
// link to. A file that does not is moved to the quarantine, so that adding its
// content again heals the store (invariant 1).

import { setImmediate } from 'node:timers/promises'
import { hasCode, isErrno, PkgError } from '../errors.ts'
import { blockFileSize, MAX_BLOCK_BYTES, readBlockFile } from './block-file.ts'
import type { ListedBlock } from './blocks.ts'
import { type BlockKey, blockKey, CID, DAG_CBOR, DAG_JSON, DAG_PB, sameBlock } from './cid.ts'
import { closure, missingBlocks } from './closure.ts'
import { verifyBlock } from './hash.ts'
import type { Healed } from './heal.ts'
import type { IndexNode } from './index-db.ts'
import { packedLinksOf } from './links.ts'
import { leaveQuarantine, listQuarantine } from './quarantine.ts'
import type { Store } from './store.ts'

/** Bytes of blocks between two looks at timers and signals: some 20 ms of hashing. */
const BREATH_BYTES = 32 * 1024 * 1024
/** Blocks whose rows go into the index in one transaction, and bytes of their links. */
const INDEX_BATCH = 4096
const INDEX_BATCH_BYTES = 8 * 1024 * 1024

export type VerifyProgress = { blocks: number; bytes: number }

export type VerifyOptions = {
  signal?: AbortSignal
  onProgress?: (progress: VerifyProgress) => void
  /** false: say what is wrong and touch nothing */
  repair?: boolean
  /** DAGs that have to be whole */
  roots?: Iterable<CID>
  /** where to take what they lack from; see heal.ts */
  from?: readonly string[] | undefined
}

export type BadBlock = { cid: CID; file: string; why: string; quarantined: boolean }

export type Verified = {
  blocks: number
  bytes: number
  corrupt: BadBlock[]
  /** when what could be healed was; what they lack is missing, or damaged and in its place still */
  incompleteRoots: { cid: CID; missing: CID[] }[]
  healed?: Healed
  /** what was found damaged, now or earlier, and has not come back; with those of `roots` that need it */
  quarantined: { cid: CID; file: string; neededBy: CID[] }[]
}

/**
 * Step 1 hashes every block file; a corrupt one goes to the quarantine. Step 2
 * looks whether the DAGs of `roots` are whole; those that are not lose their note
 * of completeness, and with `from` are healed as far as can be. Step 3 removes from the quarantine what has come back. Codecs
 * are unknown here: bad blocks are named by raw CIDs.
 */
export async function verifyStore(store: Store, options: VerifyOptions = {}): Promise<Verified> {
  const { repair = true, from = [] } = options
  const roots = [...(options.roots ?? [])]
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
  const findIncomplete = () => incompleteOf(store, roots, { ...options, inPlace })
  result.incompleteRoots = findIncomplete()
  if (repair && from.length > 0 && result.incompleteRoots.length > 0) {
    const { healStore } = await import('./heal.ts')
    const { signal } = options
    result.healed = await healStore(store, roots, { from, signal })
    result.incompleteRoots = findIncomplete()
    Object.assign(result, countBlocks(store))
  }
  lookIntoQuarantine(store, result, repair)
  return result
}

type InPlace = Pick<VerifyOptions, 'signal'> & { inPlace: ReadonlySet<BlockKey> }

function incompleteOf(
  store: Store,
  roots: readonly CID[],
  { signal, inPlace }: InPlace,
): Verified['incompleteRoots'] {
  return roots.flatMap((cid) => {
    signal?.throwIfAborted()
    const missing = missingBlocks(store, cid)
    if (inPlace.size > 0) {
      const known = new Set(missing.map(blockKey))
      for (const one of closure(store, [cid], { onMissing: () => {} })) {
        const key = blockKey(one)
        if (inPlace.has(key) && !known.has(key)) missing.push(one)
      }
    }
    if (missing.length === 0) return []
    store.index.clearComplete((complete) => complete.equals(cid))
    return [{ cid, missing }]
  })
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

/**
 * Rebuilds the index from the block files: links under every codec
 * that the bytes are valid for (the file does not say which it is; a row for
 * another codec is true as well). Corrupt blocks are left out. Notes of
 * completeness are lost, and come back with the next walk that needs them.
 */
export async function reindex(
  store: Store,
  options: Pick<VerifyOptions, 'signal' | 'onProgress'> = {},
): Promise<{ blocks: number; nodes: number; bytes: number }> {
  store.index.clear()
  const result = { blocks: 0, nodes: 0, bytes: 0 }
  let nodes: IndexNode[] = []
  let links = 0
  const write = () => {
    store.index.put(nodes)
    result.nodes += nodes.length
    nodes = []
    links = 0
  }
  for await (const { block, bytes, error } of readAll(store, options)) {
    if (bytes === undefined || error !== undefined) continue
    result.blocks += 1
    result.bytes += bytes.length
    for (const node of nodesOf(block.cid, bytes)) {
      nodes.push(node)
      links += node.packed.length
    }
    if (nodes.length >= INDEX_BATCH || links >= INDEX_BATCH_BYTES) write()
  }
  write()
  return result
}

type ReadBlock = { block: ListedBlock; bytes?: Uint8Array; error?: Error }

/** Every block file with its bytes, verified, or with what is wrong; one that goes meanwhile is passed over. */
async function* readAll(
  store: Store,
  { signal, onProgress }: Pick<VerifyOptions, 'signal' | 'onProgress'>,
): AsyncGenerator<ReadBlock> {
  const progress = { blocks: 0, bytes: 0 }
  let breath = 0
  for (const block of store.blocks.list()) {
    signal?.throwIfAborted()
    const read = readOne(block)
    if (read === undefined) continue
    yield read
    progress.blocks += 1
    progress.bytes += read.bytes?.length ?? 0
    onProgress?.(progress)
    if (progress.bytes - breath < BREATH_BYTES) continue
    breath = progress.bytes
    await setImmediate()
  }
}

function readOne(block: ListedBlock): ReadBlock | undefined {
  try {
    const size = blockFileSize(block.file)
    if (size !== undefined && size > MAX_BLOCK_BYTES) {
      throw new PkgError(
        'CORRUPT_BLOCK',
        `its file has ${size} bytes; a block has at most ${MAX_BLOCK_BYTES}`,
      )
    }
    const bytes = readBlockFile(block.file)
    verifyBlock(block.cid, bytes)
    return { block, bytes }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    const expected = error instanceof PkgError || isErrno(error, 'EACCES', 'EPERM', 'EIO')
    if (!expected) throw error
    return { block, error }
  }
}

function nodesOf({ multihash }: CID, bytes: Uint8Array): IndexNode[] {
  return guessCodecs(bytes[0]).flatMap((codec) => {
    const cid = CID.createV1(codec, multihash)
    try {
      const packed = packedLinksOf(cid, bytes)
      return packed.length > 0 ? [{ cid, packed }] : []
    } catch (error) {
      if (hasCode(error, 'BAD_NODE')) return []
      throw error
    }
  })
}

/** The codecs with links whose encoding can begin with this byte. */
function guessCodecs(first: number | undefined): number[] {
  if (first === undefined) return []
  // dag-pb: field 1 or 2. dag-json: an object or list. dag-cbor: a list, a map or a CID's tag.
  if (first === 0x0a || first === 0x12) return [DAG_PB]
  if (first === 0x7b || first === 0x5b) return [DAG_JSON]
  return (first >= 0x80 && first <= 0xbf) || first === 0xd8 ? [DAG_CBOR] : []
}
