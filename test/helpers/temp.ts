// Temp directories that are gone after the test, also when it fails.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Anything with an `after` hook: a test's context, or the module `node:test` for a whole file. */
export type Owner = { after(fn: () => unknown): void }

/** An empty directory that is removed when the test ends. */
export async function temporaryDirectory(t: Owner): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pkg-test-'))
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}
