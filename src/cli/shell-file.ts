// One line in a shell's start-up file, added at its end and only once. The rest
// of the file is its owner's and stays to the byte.

import { appendFileSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isErrno } from '../errors.ts'
import { makeDirectory } from '../files/directory.ts'

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
