// What does not answer: a file system, and a process that waits for it with its memory map held. Both are gone when
// the test ends, also when it fails: when its server dies, the kernel fails all that waits for the file system.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { findSystemCommand } from '../../src/files/system-command.ts'
import { libraryFile, SONAME } from '../../src/mount/native-files.ts'
import { fuseObstacle } from '../../src/mount/requirements.ts'
import { temporaryDirectory } from './temp.ts'

/** Why nothing can be stuck here, for a test's `skip`; false when it can. */
export const NOTHING_STUCK =
  fuseObstacle()?.detail ??
  (findSystemCommand('cc') === undefined ? 'there is no C compiler, which a stuck process takes' : false)

export type StuckFileSystem = {
  point: string
  /** nothing at all is answered from now on */
  hang(): void
}

/** A mounted file system whose `file` cannot be read; links of any other name lead to `target`. */
export async function stuckFileSystem(t: TestContext, target = ''): Promise<StuckFileSystem> {
  // Hooks run in the order they were made in: this one before the directory is removed, which would wait for it.
  let end = async () => {}
  t.after(() => end().catch(() => {}))
  const directory = await temporaryDirectory(t)
  const point = join(directory, 'point')
  for (const name of ['point', 'lib']) mkdirSync(join(directory, name))
  const library = libraryFile()
  if (library !== undefined) symlinkSync(library, join(directory, 'lib', SONAME))
  const server = spawn(process.execPath, [join(import.meta.dirname, 'stuck-server.ts'), point, target], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_LIBRARY_PATH: join(directory, 'lib') },
  })
  end = async () => {
    await kill(server)
    execFileSync(findSystemCommand('umount')!, ['-l', point], { stdio: 'ignore' })
  }
  const [said] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])
  if (String(said) !== 'mounted\n') throw new Error(`nothing was mounted: ${said}`)
  return { point, hang: () => writeFileSync(`${point}.hangs`, '') }
}

/** Builds the program that gets stuck at `program`. */
export function buildStuckProgram(program: string): void {
  const source = join(import.meta.dirname, 'stuck.c')
  execFileSync(findSystemCommand('cc')!, ['-O1', '-pthread', '-o', program, source])
}

/** Starts it, and returns when it is stuck. */
export async function stuckProcess(
  t: TestContext,
  program: string,
  { point }: StuckFileSystem,
  // An empty one is read without a look at the memory.
  env: NodeJS.ProcessEnv = { STUCK: 'yes' },
): Promise<ChildProcess> {
  const child = spawn(program, [join(point, 'file')], { stdio: 'ignore', env })
  t.after(() => kill(child))
  await once(child, 'spawn')
  const state = () => /^State:\t(.)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1]
  // Its first thread sleeps between its tries, and waits in the kernel from the first on that does not succeed.
  for (let waits = 0; waits < 10; waits = state() === 'D' ? waits + 1 : 0) {
    if (child.exitCode !== null) throw new Error('the process ended')
    await delay(20)
  }
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  // What waits for the file system ends with its server only: hooks run in the order in which they were made.
  await Promise.race([gone, delay(5000, undefined, { ref: false })])
}
