// One line in a shell's start-up file, added at its end and only once. The rest
// of the file is its owner's and stays to the byte.

import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isErrno } from '../errors.ts'

/** Adds `line` to `file`, made if missing. False when it is there already. Appends: a dotfile may be a symlink. */
export function addLine(file: string, line: string): boolean {
  const text = readOrEmpty(file)
  if (text.split('\n').some((one) => one.trim() === line)) return false
  mkdirSync(dirname(file), { recursive: true })
  const gap = text === '' || text.endsWith('\n') ? '' : '\n'
  appendFileSync(file, `${gap}\n# Programs installed by pkg\n${line}\n`)
  return true
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}
