// What is known of the last collection: for the timer, and for people who look.
// Nothing depends on it but when the next one is; where it cannot be written it is not.

import { join } from 'node:path'
import { hasCode, isErrno } from '../errors.ts'
import { writeFileAtomic } from '../files/atomic.ts'
import { readSmallFile } from '../files/small-file.ts'
import type { PrefixPaths } from '../paths.ts'
import type { CollectionResult } from './figures.ts'

const FORMAT = 1
const FILE = { maxBytes: 64 * 1024, what: 'the note of the last collection' }

export type LastCollection = Pick<
  CollectionResult,
  'blocks' | 'bytes' | 'keptBlocks' | 'roots' | 'stopped'
> & {
  /** when it ended */
  ended: Date
  /** how long it took, in ms */
  tookMs: number
  generations: number
  /** what its blocks took on the disk, and blocks that stayed for being young; no earlier version notes them */
  diskBytes?: number
  young?: number
  /** the last one that deleted generations, this or an earlier one */
  lastGenerations?: { ended: Date; count: number }
  /** the last one that left nothing dead, this or an earlier one */
  settled?: Settled
}

/** Dates in ms: what is older than `before`, was protected by nobody until `ended`, and stayed, is reached by a root. */
export type Settled = { before: number; ended: number }

/** Notes a collection that ended now, and gives its result back. */
export function noteCollection<R extends CollectionResult>(
  paths: Pick<PrefixPaths, 'var'>,
  result: R,
  startedMs: number,
): R {
  const { blocks, bytes, diskBytes, keptBlocks, roots, stopped, young, generations } = result
  const before = lastCollection(paths)
  const ended = new Date()
  const leftNone = stopped === undefined && young === 0
  const settled = leftNone ? { before: Math.min(startedMs, Date.now()), ended: Date.now() } : before?.settled
  const note = {
    format: FORMAT,
    ended,
    tookMs: Math.max(0, Date.now() - startedMs),
    ...{ blocks, bytes, diskBytes, keptBlocks, roots, stopped, young },
    generations: generations.length,
    lastGenerations: generations.length > 0 ? { ended, count: generations.length } : before?.lastGenerations,
    settled,
  }
  try {
    writeFileAtomic(fileOf(paths), `${JSON.stringify(note)}\n`)
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'EIO', 'EISDIR'))
      throw error
  }
  return result
}

/** The last collection that was run to its end; undefined where none is known. */
export function lastCollection(paths: Pick<PrefixPaths, 'var'>): LastCollection | undefined {
  try {
    const { format, ended, ...note } = JSON.parse(readSmallFile(fileOf(paths), FILE).toString())
    const at = new Date(ended)
    const figures = [note.blocks, note.bytes, note.keptBlocks, note.roots, note.tookMs, note.generations]
    if (format !== FORMAT || Number.isNaN(at.getTime()) || !figures.every(Number.isSafeInteger))
      return undefined
    const { settled, diskBytes, young, lastGenerations, ...rest } = note
    const generations = readGenerations(lastGenerations)
    return {
      ...rest,
      ended: at,
      ...(Number.isSafeInteger(diskBytes) && { diskBytes }),
      ...(Number.isSafeInteger(young) && { young }),
      ...(generations && { lastGenerations: generations }),
      ...(isSettled(settled) && { settled }),
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || hasCode(error, 'NOT_FILE'))
      return undefined
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EIO')) return undefined
    throw error
  }
}

function readGenerations(value: unknown): LastCollection['lastGenerations'] {
  const { ended, count } = (value ?? {}) as { ended?: unknown; count?: unknown }
  const at = new Date(String(ended))
  return Number.isSafeInteger(count) && !Number.isNaN(at.getTime())
    ? { ended: at, count: count as number }
    : undefined
}

function isSettled(value: unknown): value is Settled {
  const { before, ended } = (value ?? {}) as Partial<Settled>
  return Number.isSafeInteger(before) && Number.isSafeInteger(ended)
}

function fileOf(paths: Pick<PrefixPaths, 'var'>): string {
  return join(paths.var, 'last-collection.json')
}
