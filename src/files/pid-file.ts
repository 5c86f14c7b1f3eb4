// Pid files: which process does a job now. A pid alone is a weak name, so the file
// has the whole one (process-id.ts).
//
// Five lines: the pid (alone, so that any tool may read it), the start time in clock
// ticks since boot, the boot’s id, the directory (device and inode), the pid namespace.

import { closeSync, constants, fstatSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { hasCode, isErrno } from '../errors.ts'
import { writeFileAtomic } from './atomic.ts'
import { lifeOf, ownProcessId, type ProcessId, pidNamespace, processOwner } from './process-id.ts'
import { openUntrusted } from './small-file.ts'

export type { ProcessId }

/** A pid, a start time, a UUID, two numbers and a namespace take 120 bytes. */
const MAX_BYTES = 1024

/** Says in `file`, by one rename, that this process does the job; gives back what it wrote. */
export function writePidFile(file: string): ProcessId {
  const self = ownProcessId()
  const { pid, start, boot, namespace } = self
  writeFileAtomic(file, `${pid}\n${start}\n${boot}\n${placeOf(file)}\n${namespace}\n`)
  return self
}

/** What `file` names, running or not; undefined when it is missing, not a pid file, was copied from elsewhere, or is not to be believed. */
export function readPidFile(file: string): ProcessId | undefined {
  const read = readWithOwner(file)
  if (read === undefined) return undefined
  const { text, owner } = read
  const [pid, start, boot, place, namespace] = text.split('\n')
  if (!/^[1-9]\d*$/.test(pid ?? '') || !start || !boot) return undefined
  // In a copy of a prefix it names a process that works for the original.
  if (place && place !== placeOf(file)) return undefined
  // An earlier version wrote four lines.
  const named = { pid: Number(pid), start, boot, namespace: namespace || pidNamespace() }
  return isBelievable(named, owner) ? named : undefined
}

function readWithOwner(file: string): { text: string; owner: number } | undefined {
  try {
    const fd = openUntrusted(file, constants.O_RDONLY, { what: 'a pid file' })
    try {
      const bytes = Buffer.alloc(MAX_BYTES)
      return { text: bytes.toString('latin1', 0, readSync(fd, bytes)), owner: fstatSync(fd).uid }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || hasCode(error, 'NOT_FILE')) return undefined
    throw error
  }
}

/** Root, who could end any process, ends by the word of another user's file none but that user's. */
function isBelievable(named: ProcessId, owner: number): boolean {
  if (process.geteuid?.() !== 0 || owner === 0 || !isRunning(named)) return true
  return processOwner(named.pid) === owner
}

/** True while that very process runs; of one of another pid namespace nobody here can tell. */
export function isRunning(id: ProcessId): boolean {
  return lifeOf(id) === 'runs'
}

/** True when it is of another pid namespace: whether it lives can be learnt from its socket only, and it gets no signal from here. */
export function isElsewhere(id: ProcessId): boolean {
  return lifeOf(id) === 'elsewhere'
}

/** The process that `file` names, unless it is surely gone: one that is elsewhere counts as alive. */
export function runningProcess(file: string): ProcessId | undefined {
  const named = readPidFile(file)
  return named && lifeOf(named) !== 'gone' ? named : undefined
}

/** The same, and only one of this pid namespace. */
export function runningHere(file: string): ProcessId | undefined {
  const named = readPidFile(file)
  return named && isRunning(named) ? named : undefined
}

/** True when `file` names this process. */
export function namesThisProcess(file: string): boolean {
  const named = readPidFile(file)
  return named?.pid === process.pid && isRunning(named)
}

/** Where the file was made: a directory keeps its inode when it is moved, and a copy has another one. */
function placeOf(file: string): string {
  const { dev, ino } = statSync(dirname(file), { bigint: true })
  return `${dev}:${ino}`
}
