// The mark `blocks/.stable`: which block files a crash cannot have harmed.
//
// Its bytes name a boot of the machine and this very directory of blocks; they say
// that in this boot the blocks were looked at after whatever came before (recheck.ts).
// Its mtime is a moment: block files whose ctime is before it are on stable storage.
//
// To move it on, a new file is written, which takes its mtime from the file system's
// own clock; then the file system is flushed, the file with it; then it is renamed
// over the old one. So its moment lies before the flush, and a power cut leaves the
// old mark or the new one, either whole and either true: the older one only has more
// looked at. Of two who move it at once either may come last. It lies among the
// blocks, for it is of no use to others, and `var/` may be thrown away at any time.

import { randomBytes } from 'node:crypto'
import { closeSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode, isErrno, PkgError } from '../../errors.ts'
import { fsyncDirectory, writeAll, writeFileAtomic } from '../../files/atomic.ts'
import { syncFilesystem } from '../../files/barrier.ts'
import { openPrefixFile } from '../../files/modes.ts'
import { bootId } from '../../files/process-id.ts'
import { readSmallFile } from '../../files/small-file.ts'
import type { PrefixPaths } from '../../paths.ts'

type MarkPaths = Pick<PrefixPaths, 'blocks' | 'blocksTemp' | 'stableMark'>

/** A format, a boot's id and two numbers take 80 bytes. */
const FILE = { maxBytes: 1024, what: 'a mark of what is on stable storage' } as const

/**
 * How far a file's time may lie before the moment it was written, in ms: the kernel's
 * clock for files moves with its ticks (10 ms at 100 Hz), and some file systems round
 * to whole or even seconds (FAT).
 */
const CLOCK_STEP_MS = 2000

export type StableMark = {
  /** it is of this boot of the machine */
  thisBoot: boolean
  /** it is of these blocks, and not copied with them from elsewhere */
  thisPlace: boolean
  /** block files with a ctime before this are on stable storage; ms since 1970 */
  before: number
}

/** What the mark says; undefined where there is none, or something else in its place. */
export function readStableMark(paths: MarkPaths): StableMark | undefined {
  let text: string
  let mtimeMs: number
  try {
    mtimeMs = statSync(paths.stableMark).mtimeMs
    text = readSmallFile(paths.stableMark, FILE).toString('latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EIO') || hasCode(error, 'NOT_FILE')) return undefined
    throw error
  }
  const [, boot, place] = /^stable 1 (\S+) (\S+)\n$/.exec(text) ?? []
  if (boot === undefined) return undefined
  return {
    thisBoot: boot === bootId(),
    thisPlace: place === placeOf(paths),
    before: mtimeMs - CLOCK_STEP_MS,
  }
}

/**
 * True when the blocks were looked at in this boot, and whatever is written from now on
 * gets a time behind the mark's: not so when the clock was set back.
 */
export function isTrusted(mark: StableMark | undefined): boolean {
  return mark?.thisBoot === true && mark.thisPlace && mark.before <= Date.now()
}

/**
 * Flushes the file system of the blocks, and moves the mark on; not where the mark is
 * not of this boot, for then it is not known what is there. For who just looked:
 * `looked` makes it of this boot, and this too is then on stable storage.
 */
export async function flushStore(paths: MarkPaths, { looked = false } = {}): Promise<void> {
  const next = looked || isTrusted(readStableMark(paths)) ? writeMark(paths) : undefined
  try {
    await syncFilesystem(paths.blocks)
    if (next !== undefined) renameSync(next, paths.stableMark)
  } catch (error) {
    if (next !== undefined) rmSync(next, { force: true })
    if (!isErrno(error, 'EISDIR')) throw error
    throw new PkgError('IO', `${paths.stableMark} is a directory, not ${FILE.what}`, {
      hint: 'Move it out of the way: who adds next makes a new one.',
      cause: error,
    })
  }
  if (looked) fsyncDirectory(paths.blocks)
}

/** For a prefix that is made just now: there is no block yet that could be lost. */
export function writeFirstMark(paths: MarkPaths): void {
  writeFileAtomic(paths.stableMark, textOf(paths))
}

/** Its file under a temp name; undefined where there is no room or no right to one: the old one says less. */
function writeMark(paths: MarkPaths): string | undefined {
  const file = join(paths.blocksTemp, `${process.pid}-stable-${randomBytes(6).toString('hex')}`)
  try {
    const fd = openPrefixFile(file, 'wx')
    try {
      writeAll(fd, Buffer.from(textOf(paths)))
    } finally {
      closeSync(fd)
    }
    return file
  } catch (error) {
    rmSync(file, { force: true })
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) return undefined
    throw error
  }
}

function textOf(paths: MarkPaths): string {
  return `stable 1 ${bootId()} ${placeOf(paths)}\n`
}

/** A copy of a prefix, made by whatever means, has another inode. */
function placeOf({ blocks }: MarkPaths): string {
  const { dev, ino } = statSync(blocks, { bigint: true })
  return `${dev}:${ino}`
}
