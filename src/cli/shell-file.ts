// Lines of ours in a shell's start-up file, added at its end and only once. The rest
// of the file is its owner's and stays to the byte.

import { appendFileSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isErrno } from '../errors.ts'
import { writeFileAtomic } from '../files/atomic.ts'
import { makeDirectory } from '../files/directory.ts'

/** At the end of a line that may change, and that is ours for it. None ends with another. */
export const MARKS = { prefix: ' # by pkg init', start: ' # by pkg init --start-at-login' } as const

type Mark = (typeof MARKS)[keyof typeof MARKS]

/** True when `file` has that line. */
export function hasLine(file: string, line: string): boolean {
  return linesOf(readOrEmpty(file)).includes(line)
}

/** Adds `line` to `file`, made if missing. False when it is there already. Appends: a dotfile may be a symlink. */
export function addLine(file: string, line: string): boolean {
  const text = readOrEmpty(file)
  if (linesOf(text).includes(line)) return false
  makeDirectory(dirname(file))
  const gap = text === '' || text.endsWith('\n') ? '' : '\n'
  appendFileSync(file, `${gap}\n# Programs installed by pkg\n${line}\n`)
  return true
}

/** True when `file` has that line with the mark. */
export function hasMarkedLine(file: string, line: string, mark: Mark): boolean {
  return hasLine(file, line + mark)
}

/**
 * Has `line`, marked, as the one line of `file` with that mark; undefined: none. False when it is so
 * already. Other lines stay. Written beside what a link leads to, and renamed.
 */
export function setMarkedLine(file: string, line: string | undefined, mark: Mark): boolean {
  const text = readOrEmpty(file)
  const marked = text.split('\n').filter((one) => one.endsWith(mark))
  if (marked.length === 0 && line === undefined) return false
  if (marked.length === 1 && marked[0] === `${line}${mark}`) return false
  if (marked.length > 0) {
    const rest = text.split('\n').filter((one) => !one.endsWith(mark))
    const target = realpathSync(file)
    const { mode } = statSync(target)
    const kept = rest.join('\n')
    const added =
      line === undefined ? '' : `${kept === '' || kept.endsWith('\n') ? '' : '\n'}${line}${mark}\n`
    writeFileAtomic(target, kept + added, { mode: mode & 0o777 })
    return true
  }
  makeDirectory(dirname(file))
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}${mark}\n`)
  return true
}

function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trim())
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}
