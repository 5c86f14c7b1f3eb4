// What is known of the last collection: for the timer, and for people who look.
// Nothing depends on it but when the next one is; where it cannot be written it is not.

import { join } from 'node:path'
import { hasCode, isErrno } from '../errors.ts'
import { writeFileAtomic } from '../files/atomic.ts'
import { readSmallFile } from '../files/small-file.ts'
import type { PrefixPaths } from '../paths.ts'
import type { CollectionResult } from './collect.ts'

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
}

/** Notes a collection that ended now, and gives its result back. */
export function noteCollection<R extends CollectionResult>(
  paths: Pick<PrefixPaths, 'var'>,
  result: R,
  startedMs: number,
): R {
  const { blocks, bytes, keptBlocks, roots, stopped, generations } = result
  const note = {
    format: FORMAT,
    ended: new Date(),
    tookMs: Math.max(0, Date.now() - startedMs),
    ...{ blocks, bytes, keptBlocks, roots, stopped },
    generations: generations.length,
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
    return { ...note, ended: at }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || hasCode(error, 'NOT_FILE'))
      return undefined
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EIO')) return undefined
    throw error
  }
}

function fileOf(paths: Pick<PrefixPaths, 'var'>): string {
  return join(paths.var, 'last-collection.json')
}
