// A prefix of a test's own, whose daemon and mount are gone after it, also when it fails.

import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { stopDaemon } from '../../src/daemon/client/client.ts'
import { isRunning, type ProcessId, runningProcess } from '../../src/files/pid-file.ts'
import { fuseObstacle } from '../../src/mount/requirements.ts'
import { type PrefixPaths, prefixPaths } from '../../src/paths.ts'
import { makeDirectory, removeDirectory } from '../helpers/temp.ts'

/** For a test's `skip`: why nothing can be mounted here, or false. */
export const WITHOUT_FUSE: string | false = fuseObstacle()?.detail ?? false

/** Milliseconds after which something that should have happened by itself has not. */
const PATIENCE_MS = 20_000

/** `below`: the prefix is that path below the temp directory. */
export async function daemonPrefix(t: TestContext, below = '.'): Promise<PrefixPaths> {
  const directory = await makeDirectory()
  const paths = prefixPaths(join(directory, below))
  t.after(async () => {
    await stopDaemon(paths, { force: true })
    await removeDirectory(directory)
  })
  return paths
}

/** The process that a pid file names; an error when it does not run. */
export function running(file: string): ProcessId {
  const found = runningProcess(file)
  if (!found) throw new Error(`${file} names no running process`)
  return found
}

/** Kills it in the hardest way, by its pid file; returns when it is dead. */
export async function kill9(file: string): Promise<ProcessId> {
  const victim = running(file)
  process.kill(victim.pid, 'SIGKILL')
  await until(`process ${victim.pid} is dead`, () => !isRunning(victim))
  return victim
}

/** Waits until the condition holds; an error that names it when it never does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await holds()); await delay(20)) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}`)
  }
}
