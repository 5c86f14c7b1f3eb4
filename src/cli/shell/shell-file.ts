// Lines of ours in a shell's start-up file, added at its end and only once, each with
// our mark. The rest of the file is its owner's and stays to the byte, whatever its
// encoding: a line is kept as its bytes, one a character, and read as UTF-8 (`read`).

import {
  closeSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { isErrno } from '../../errors.ts'
import { writeAll, writeFileAtomic } from '../../files/atomic.ts'
import { makeDirectory, removeIfThere } from '../../files/directory.ts'

/** At the end of a line that is ours to change and to take away; in a unit, a line of its own. */
export const MARK = '# by pkg init'

/** What once stood above a line of ours, which had no mark. */
const HEADING = '# Programs installed by pkg'

/** True when `file` has that line, with our mark or without. */
export function hasLine(file: string, line: string): boolean {
  return linesOf(readOrEmpty(file)).some((one) => withoutMark(read(one).trim()) === line)
}

/** Adds `line`, marked, to `file`, made if missing. False when it is there already. Appends: a dotfile may be a symlink. */
export function addLine(file: string, line: string): boolean {
  if (hasLine(file, line)) return false
  append(file, line)
  return true
}

/**
 * Has `line`, marked, as the one marked line of `file` that is `such`; undefined: none. False when it
 * is so already. Other lines stay. Written beside what a link leads to, and renamed.
 */
export function setMarkedLine(file: string, line: string | undefined, such: RegExp): boolean {
  const text = readOrEmpty(file)
  const isOld = (one: string) => isMarked(one) && such.test(read(one))
  const old = linesOf(text).filter(isOld)
  if (old.length === 0 && line === undefined) return false
  if (old.length === 1 && read(old[0] as string) === `${line} ${MARK}`) return false
  if (old.length === 0) append(file, line as string)
  else {
    const kept = linesOf(text).filter((one) => !isOld(one))
    replace(file, kept.join('\n') + (line === undefined ? '' : asBytes(addition(kept.join('\n'), line))))
  }
  return true
}

/** The lines of `file` that are ours: marked, or one of `unmarked`. None in what is no file that one may read. */
export function ownLines(file: string, unmarked: readonly string[]): string[] {
  try {
    return linesOf(readOrEmpty(file))
      .filter((line) => isOwn(line, unmarked))
      .map(read)
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EISDIR', 'ENOTDIR', 'ELOOP')) return []
    throw error
  }
}

/** Takes those of them away that are `such`; a file in which nothing is left goes with them. Idempotent. */
export function removeOwnLines(
  file: string,
  unmarked: readonly string[],
  such: (line: string) => boolean,
): void {
  const kept: string[] = []
  let isFound = false
  for (const line of linesOf(readOrEmpty(file))) {
    if (!isOwn(line, unmarked) || !such(read(line))) kept.push(line)
    else {
      isFound = true
      // The heading, and the empty line that was put above it.
      if (kept.at(-1) === HEADING) {
        kept.pop()
        if (kept.at(-1) === '') kept.pop()
      }
    }
  }
  if (!isFound) return
  if (kept.join('') === '' && lstatSync(file).isFile()) removeIfThere(file)
  else replace(file, kept.join('\n'))
}

function isOwn(line: string, unmarked: readonly string[]): boolean {
  return isMarked(line) || unmarked.includes(line.trim())
}

function isMarked(line: string): boolean {
  return line.endsWith(` ${MARK}`)
}

function withoutMark(line: string): string {
  return isMarked(line) ? line.slice(0, -MARK.length - 1) : line
}

function append(file: string, line: string): void {
  makeDirectory(dirname(file))
  const bytes = Buffer.from(addition(readOrEmpty(file), line))
  const fd = openSync(file, 'a')
  try {
    const { size } = fstatSync(fd)
    try {
      writeAll(fd, bytes)
    } catch (error) {
      // The part of a line for which there was room may be one that no shell gets past.
      ftruncateSync(fd, size)
      throw error
    }
  } finally {
    closeSync(fd)
  }
}

function addition(text: string, line: string): string {
  return `${text === '' || text.endsWith('\n') ? '' : '\n'}${line} ${MARK}\n`
}

function replace(file: string, text: string): void {
  const target = realpathSync(file)
  writeFileAtomic(target, Buffer.from(text, 'latin1'), { mode: statSync(target).mode & 0o777 })
}

const read = (bytes: string) => Buffer.from(bytes, 'latin1').toString()
const asBytes = (text: string) => Buffer.from(text).toString('latin1')

function linesOf(text: string): string[] {
  return text.split('\n')
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}
