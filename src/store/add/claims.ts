// The journal of claims, `pins/collector.claims`: while a collector runs, adders
// append to it what they have put into their temp pins (settle.ts). So a collector
// learns of everything that was claimed since it began by reading on in one file,
// and of there being nothing by that file's length. The records are those of a
// temp pin (temp-pin.ts).
//
// The file stays between collections, so that one on a full disk needs no room for
// it. What it holds from before a collection began means nothing to it, and is
// dropped then; never at a collection's end, for one that was stopped and lost its
// lock would empty the journal of the next.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { hasCode, isErrno, PkgError } from '../../errors.ts'
import { FILE_MODE } from '../../files/modes.ts'
import { openUntrusted, UNTRUSTED_FLAGS } from '../../files/small-file.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { BlockKey, CID } from '../cid.ts'
import { parseRecords } from './temp-pin.ts'

const WHAT = { what: 'a journal of claims' }

type ClaimPaths = Pick<PrefixPaths, 'collector'>

const journalFile = ({ collector }: ClaimPaths) => `${collector}.claims`

/**
 * Tells the collector that runs what a temp pin has begun to protect. Without a
 * journal none runs that has read the temp pins yet. Throws as writing a file does.
 */
export function noteClaims(paths: ClaimPaths, records: string): void {
  let fd: number
  try {
    fd = openSync(journalFile(paths), constants.O_WRONLY | constants.O_APPEND | UNTRUSTED_FLAGS)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  try {
    // One write(2) is never mixed with another's. The line end in front ends what somebody could only write a part of.
    const bytes = Buffer.from(`\n${records}`, 'latin1')
    while (writeSync(fd, bytes) < bytes.length);
  } finally {
    closeSync(fd)
  }
}

export type ClaimedSince = { blocks: BlockKey[]; dags: CID[] }

/** The collector's side: what is claimed from the moment on at which it is made. */
export class ClaimsJournal {
  readonly #fd: number
  /** bytes that were taken, up to the end of a line */
  #read: number

  /** Begin before the temp pins are read, and with the collector's lock. */
  constructor(paths: ClaimPaths) {
    this.#fd = openJournal(journalFile(paths))
    try {
      ftruncateSync(this.#fd)
    } catch (error) {
      if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error
    }
    this.#read = fstatSync(this.#fd).size
  }

  /**
   * What was claimed since the last call; undefined when nothing was, which costs one
   * fstat(2). Throws BUSY when the journal is not what it was.
   */
  take(): ClaimedSince | undefined {
    const { size, nlink } = fstatSync(this.#fd)
    if (size < this.#read || nlink === 0) {
      throw new PkgError('BUSY', 'the journal of claims was taken from under this collection', {
        hint: 'Nothing is lost. Run it again.',
      })
    }
    if (size === this.#read) return undefined
    const buffer = Buffer.allocUnsafe(size - this.#read)
    const text = buffer.toString('latin1', 0, readSync(this.#fd, buffer, 0, buffer.length, this.#read))
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    this.#read += whole.length
    return whole === '' ? undefined : parseRecords(whole.split('\n'))
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/**
 * Root may collect in another user's prefix: the journal is that user's, as adders
 * are. One that this user may not write, in a directory that they may, is replaced.
 * So is what is no file, or has a second name: it would be another file's content
 * that is dropped, and its owner and mode that are changed.
 */
function openJournal(file: string): number {
  try {
    return openOwn(file)
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM') && !hasCode(error, 'NOT_FILE')) throw error
    if (lstatSync(file).isDirectory()) throw error
    unlinkSync(file)
    return openOwn(file)
  }
}

function openOwn(file: string): number {
  const fd = openUntrusted(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, WHAT)
  const { nlink, uid: owner } = fstatSync(fd)
  if (nlink > 1) {
    closeSync(fd)
    throw new PkgError('NOT_FILE', `${file} has other names too: it is not ${WHAT.what}`)
  }
  if (process.getuid?.() !== 0) return fd
  const { uid, gid } = statSync(dirname(file))
  fchmodSync(fd, FILE_MODE)
  if (owner !== uid) fchownSync(fd, uid, gid)
  return fd
}
