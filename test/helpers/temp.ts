// Temp directories that are gone after the test, also when it fails.

import { rmSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Anything with an `after` hook: a test's context, or the module `node:test` for a whole file. */
export type Owner = { after(fn: () => unknown): void }

/** An empty directory that is removed when the test ends. */
export async function temporaryDirectory(t: Owner): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pkg-test-'))
  t.after(() => removeDirectory(directory))
  return directory
}

/**
 * Hooks run in the order they were made in, and one that throws keeps the later ones
 * from running: what still writes to the directory would never be stopped. So one that
 * cannot be removed yet is removed when the process ends, and an error then.
 */
export async function removeDirectory(directory: string): Promise<void> {
  try {
    if (process.getuid?.() !== 0) await openDirectories(directory)
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  }
}

/** From the read-only directories of checkouts only root can remove something. */
async function openDirectories(directory: string): Promise<void> {
  await chmod(directory, 0o700)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await openDirectories(join(directory, entry.name))
  }
}
