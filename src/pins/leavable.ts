// A process of ours that may be left where it waits: a thread that waits in the kernel would keep this process from
// ending, and no signal need reach what waits there; but a child need not be waited for.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type EntryPoint, entryPoint } from '../entry.ts'
import { isErrno, PkgError } from '../errors.ts'
import { ownEnvironment } from '../files/system-command.ts'

/** How long it may be silent, in ms: what it does between two lines takes microseconds, and some ms where much else runs. */
const SILENCE_MS = 2000

/**
 * Runs an entry point with `query` as its argument, and tells of each line of its NDJSON, of which `null` is the last.
 * False when it was left, waiting in the kernel, after it said something. Rejects when it fails.
 */
export function askLeavable<T>(entry: EntryPoint, query: unknown, tell: (line: T) => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entryPoint(entry), JSON.stringify(query)], {
      // A directory that answers, and no signal of the terminal.
      cwd: '/',
      env: ownEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // Where there are no file descriptors left it has no streams.
    child.once('error', reject)
    if (child.pid === undefined) return
    let began = false
    let said = ''
    const end = () => {
      clearInterval(timer)
      child.kill('SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
      child.unref()
    }
    const timer = setInterval(() => {
      if (!began || !isWaiting(child.pid)) return
      end()
      resolve(false)
    }, SILENCE_MS)
    child.stderr.on('data', (bytes) => {
      said += bytes
    })
    createInterface({ input: child.stdout }).on('line', (text) => {
      began = true
      timer.refresh()
      const line = JSON.parse(text) as T | null
      if (line !== null) return tell(line)
      end()
      resolve(true)
    })
    child.once('close', (status, signal) => {
      end()
      reject(new PkgError('INTERNAL', `${entry} ended too early (${signal ?? status}): ${said.trim()}`))
    })
  })
}

/** False while it runs, or would if the machine had time for it. Its stat waits for nobody (proc_pid_stat(5)). */
function isWaiting(pid: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'R'
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false
    throw error
  }
}
