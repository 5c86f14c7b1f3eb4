// Pid files: which process does a job now. A pid alone is a weak name, for the
// kernel gives it again, so the file also has the start time and the boot.
//
// Four lines: the pid (alone, so that any tool may read it), the start time in
// clock ticks since boot, the boot’s id, the directory (device and inode).

import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { hasCode, isErrno } from '../errors.ts'
import { writeFileAtomic } from './atomic.ts'
import { bootId, processStart } from './process-id.ts'
import { readSmallFile } from './small-file.ts'

/** A pid, a start time, a UUID and two numbers take 90 bytes. */
const MAX_BYTES = 1024

export type ProcessId = Readonly<{ pid: number; start: string; boot: string }>

/** Says in `file`, by one rename, that this process does the job; gives back what it wrote. */
export function writePidFile(file: string): ProcessId {
  const self = { pid: process.pid, start: processStart(process.pid) ?? '', boot: bootId() }
  writeFileAtomic(file, `${self.pid}\n${self.start}\n${self.boot}\n${placeOf(file)}\n`)
  return self
}

/** What `file` names, running or not; undefined when it is missing, not a pid file, or was copied from elsewhere. */
export function readPidFile(file: string): ProcessId | undefined {
  let text: string
  try {
    text = readSmallFile(file, { maxBytes: MAX_BYTES, what: 'a pid file' }).toString('latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || hasCode(error, 'NOT_FILE')) return undefined
    throw error
  }
  const [pid, start, boot, place] = text.split('\n')
  if (!/^[1-9]\d*$/.test(pid ?? '') || !start || !boot) return undefined
  // In a copy of a prefix it names a process that works for the original.
  if (place && place !== placeOf(file)) return undefined
  return { pid: Number(pid), start, boot }
}

/** True while that very process runs: not one that got its pid later, and not a zombie. */
export function isRunning({ pid, start, boot }: ProcessId): boolean {
  return boot === bootId() && processStart(pid) === start
}

/** The process that `file` names, if it runs. */
export function runningProcess(file: string): ProcessId | undefined {
  const named = readPidFile(file)
  return named && isRunning(named) ? named : undefined
}

/** Where the file was made: a directory keeps its inode when it is moved, and a copy has another one. */
function placeOf(file: string): string {
  const { dev, ino } = statSync(dirname(file), { bigint: true })
  return `${dev}:${ino}`
}
