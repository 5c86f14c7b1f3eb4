// Memory of a mount server that nobody asks anything: what it kept for the next question is given back to the machine.

import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Milliseconds without a request after which it rests. */
const IDLE_MS = 15_000

/** Calls `rest`, and has V8 give back what is free then, once after each time that requests came and then ceased. */
export function restWhenIdle(requests: () => number, rest: () => void): void {
  let before = requests()
  let rested = true
  setInterval(() => {
    const now = requests()
    const isIdle = now === before
    before = now
    if (isIdle && !rested) {
      rest()
      collectGarbage()
    }
    rested = isIdle
  }, IDLE_MS).unref()
}

/** V8 collects when it needs room, and so never while nothing happens. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options: { type: 'major' }) => void
  gc({ type: 'major' })
}

/** Resident bytes: pages of mapped files, and memory of the process's own (proc_pid_status(5)). */
export function residentBytes(): { sharedMemory: number; ownMemory: number } {
  const status = readFileSync('/proc/self/status', 'latin1')
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
  return { sharedMemory: bytes('RssFile'), ownMemory: bytes('RssAnon') }
}
