// One directory for a target's files, in memory where there is a place for that.

import { accessSync, constants, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** tmpfs on every Linux; elsewhere, or closed to us, the usual place will do. */
const MEMORY = '/dev/shm'

/** An empty directory; the target's `close` removes it. */
export function scratchDirectory(): string {
  return mkdtempSync(join(place(), 'pkg-test-fuzz-'))
}

function place(): string {
  try {
    accessSync(MEMORY, constants.W_OK)
    return MEMORY
  } catch {
    return tmpdir()
  }
}
