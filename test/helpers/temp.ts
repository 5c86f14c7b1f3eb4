// Temp directories that are gone after the test, also when it fails.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync, statfsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOnAny, readMounts } from '../../src/pins/mount-table.ts'

/** Anything with an `after` hook: a test's context, or the module `node:test` for a whole file. */
export type Owner = { after(fn: () => unknown): void }

const SHARED_MEMORY = '/dev/shm'
const TMPFS_MAGIC = 0x01021994
const ENOUGH_BYTES = 4 * 1024 ** 3

/**
 * Memory where there is enough: the thousand directories of every store, made, flushed and removed again, take a disk
 * longer than all else that the tests do. What is about disks brings its own; TMPDIR chooses another place.
 */
const BASE = process.env.TMPDIR || !hasRoomInMemory() ? tmpdir() : SHARED_MEMORY

function hasRoomInMemory(): boolean {
  const line = readFileSync('/proc/mounts', 'latin1').match(/^\S+ \/dev\/shm tmpfs (\S+)/m)
  if (line === null || line[1]?.split(',').includes('noexec')) return false
  const { type, bavail, bsize } = statfsSync(SHARED_MEMORY)
  return type === TMPFS_MAGIC && bavail * bsize >= ENOUGH_BYTES
}

/** An empty directory that is removed when the test ends. */
export async function temporaryDirectory(t: Owner): Promise<string> {
  const directory = await makeDirectory()
  t.after(() => removeDirectory(directory))
  return directory
}

/** The same, for whoever has to end something first, and removes it then. */
export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(BASE, 'pkg-test-'))
  keep(directory)
  return directory
}

let keeper: ChildProcess | undefined

/** Hooks do not run in a process that is killed, and a daemon outlives it: then keeper.sh does their work. */
function keep(directory: string): void {
  if (keeper === undefined) {
    const script = join(import.meta.dirname, 'keeper.sh')
    keeper = spawn('/bin/sh', [script], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    keeper.unref()
    ;(keeper.stdin as Socket).unref()
    // A machine without a shell: then nobody cleans up behind a kill.
    for (const one of [keeper, keeper.stdin]) one?.on('error', () => {})
  }
  keeper.stdin?.write(`${directory}\n`)
}

/**
 * Hooks run in the order they were made in, and one that throws keeps the later ones
 * from running: what still writes to the directory would never be stopped. So one that
 * cannot be removed yet is removed when the process ends, and an error then; what is still
 * mounted below may never answer, and is keeper.sh's.
 */
export async function removeDirectory(directory: string): Promise<void> {
  try {
    if (isMountedBelow(directory)) throw new Error('something is mounted there')
    if (process.getuid?.() !== 0) await openDirectories(directory)
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    process.once('exit', () => {
      if (!isMountedBelow(directory)) rmSync(directory, { recursive: true, force: true })
    })
  }
}

function isMountedBelow(directory: string): boolean {
  return readMounts().some(({ point }) => isOnAny([directory], point))
}

/** From the read-only directories of checkouts only root can remove something. */
async function openDirectories(directory: string): Promise<void> {
  await chmod(directory, 0o700)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await openDirectories(join(directory, entry.name))
  }
}
