// After an unclean stop: the blocks that were written since the last barrier are
// verified before anybody trusts them (invariants 1, 2 and 4).
//
// Who adds finds blocks "already there", and who links a DAG finds it whole, by
// looking at names and lengths of files. A crash breaks that: it may leave a file
// empty, of zeros, or of what lay on the disk before, under the right name and of
// the right length. So the first one to add in a new boot of the machine reads all
// block files that the last barrier does not vouch for (stable-mark.ts), moves what
// does not hash to its name to the quarantine, flushes that, and marks this boot.
// Others wait for it. In the same boot nothing can be lost but by a process's own
// death, which loses no written byte.
//
// Which files: those whose ctime is not before the mark's moment, in directories
// whose ctime is not either, for a file cannot come into a directory without
// changing that. Both are set by the kernel alone, also in a copy or a restored
// backup, which is new to it as a whole. Without a mark: all files.
//
// Clocks: a file gets a ctime before the mark's moment only after the clock was set
// back behind it. Every session looks for that when it begins (`isTrusted`); then
// all is flushed and the mark is made anew, before anything is written.

import { channel } from 'node:diagnostics_channel'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { hasCode, isErrno } from '../../errors.ts'
import { withLock } from '../../files/lock.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { Blocks } from '../blocks/blocks.ts'
import { shardNames } from '../blocks/shards.ts'
import { type CID, cidOfBlockName } from '../cid.ts'
import type { LinkIndex } from '../links/index-db.ts'
import { flushStore, isTrusted, readStableMark } from './stable-mark.ts'

/** Bytes that are read between two looks at timers and signals: some 20 ms of hashing. */
const BREATH_BYTES = 32 * 1024 * 1024

/** As long as it takes: a store of a million blocks may be read by somebody else. */
const WAIT_MS = 24 * 60 * 60 * 1000

export type RecheckFigures = {
  /** files that were read */
  blocks: number
  bytes: number
  /** those that did not hash to their names, by raw CIDs: they are in the quarantine */
  bad: CID[]
  /** nothing more comes */
  done: boolean
}

/** What of a store is looked at, and set right. */
export type RecheckedStore = {
  readonly paths: PrefixPaths
  readonly blocks: Pick<Blocks, 'get'>
  readonly index: Pick<LinkIndex, 'clearComplete'>
}

export type RecheckOptions = { signal?: AbortSignal | undefined }

/** Told how far a look has come: whoever adds may have to wait for one, and need not know that it does. */
export type RecheckNews = { store: RecheckedStore; figures: RecheckFigures }

/** Its messages are `RecheckNews`. */
export const recheckNews = channel('ipfs-pkg:recheck')

/**
 * Returns when what is there may be trusted as far as this boot goes; gives figures when
 * it was this process that had to look. Costs the reading of one small file otherwise.
 * Where it is interrupted, the next one begins again. Throws PERMISSION, READ_ONLY,
 * NO_SPACE, and what `signal` says.
 */
export async function recheck(
  store: RecheckedStore,
  { signal }: RecheckOptions = {},
): Promise<RecheckFigures | undefined> {
  const { paths } = store
  const tell = (figures: RecheckFigures) => recheckNews.publish({ store, figures } satisfies RecheckNews)
  if (isTrusted(readStableMark(paths))) return undefined
  return withLock(
    join(paths.var, 'recheck'),
    async (lost) => {
      const mark = readStableMark(paths)
      if (isTrusted(mark)) return undefined
      const figures: RecheckFigures = { blocks: 0, bytes: 0, bad: [], done: false }
      // In the same boot only the clock went back, or this is a copy: nothing was lost, but it may not be flushed.
      const before = mark?.thisBoot ? Number.POSITIVE_INFINITY : (mark?.before ?? Number.NEGATIVE_INFINITY)
      for await (const bytes of readSince(store, before, figures)) {
        signal?.throwIfAborted()
        lost.throwIfAborted()
        if (bytes > 0) tell(figures)
      }
      // Of DAGs that were whole: a block may be lost, or never have come to this place.
      if (figures.bad.length > 0 || !mark?.thisPlace) store.index.clearComplete()
      await flushStore(paths, { looked: true })
      figures.done = true
      tell(figures)
      return figures
    },
    { waitMs: WAIT_MS, ...(signal && { signal }) },
  )
}

/** Flushes the file system of the blocks if some came since that was done last. */
export async function flushIfWritten(
  paths: Pick<PrefixPaths, 'blocks' | 'blocksTemp' | 'stableMark'>,
): Promise<void> {
  const before = readStableMark(paths)?.before ?? Number.NEGATIVE_INFINITY
  if (shardNames().some((shard) => isSince(join(paths.blocks, shard), before))) await flushStore(paths)
}

/** Reads the files of which `before` says nothing; yields now and then how many bytes it read. */
async function* readSince(
  store: RecheckedStore,
  before: number,
  figures: RecheckFigures,
): AsyncGenerator<number> {
  let breath = 0
  for (const shard of shardNames()) {
    const directory = join(store.paths.blocks, shard)
    for (const name of namesSince(directory, before)) {
      const cid = cidOfBlockName(name)
      if (cid === undefined || !isSince(join(directory, name), before)) continue
      const bytes = readOne(store, cid, figures)
      breath += bytes
      figures.bytes += bytes
      if (breath < BREATH_BYTES) continue
      await nextTurn()
      yield breath
      breath = 0
    }
    await nextTurn()
    yield breath
    breath = 0
  }
}

function namesSince(directory: string, before: number): string[] {
  try {
    return isSince(directory, before) ? readdirSync(directory) : []
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function isSince(path: string, before: number): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats !== undefined && stats.ctimeMs >= before
}

/** Gives the block's bytes; `get` moves what is damaged to the quarantine. */
function readOne({ blocks }: RecheckedStore, cid: CID, figures: RecheckFigures): number {
  try {
    const { length } = blocks.get(cid)
    figures.blocks += 1
    return length
  } catch (error) {
    // A collector took it meanwhile.
    if (hasCode(error, 'MISSING_BLOCK')) return 0
    if (!hasCode(error, 'CORRUPT_BLOCK')) {
      // Nobody can read it now: that is not what a crash leaves, and who reads it later is told.
      if (hasCode(error, 'IO', 'UNSUPPORTED') || isErrno(error, 'EIO', 'EACCES')) return 0
      throw error
    }
    figures.blocks += 1
    figures.bad.push(cid)
    return 0
  }
}
