// Directories that are still there after a crash.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fsyncDirectory } from './atomic.ts'

/**
 * Makes a directory and its parents where they are missing, and flushes each
 * new entry: a link that is flushed into a directory which itself was not is
 * lost with it. Idempotent; where all is there it costs one call.
 */
export function makeDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) fsyncDirectory(dirname(made))
}
