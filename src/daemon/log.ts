// The log `<prefix>/var/pkg.log`: one line an event, of the daemon and of the
// mount server, which both append. It is cut by copying and truncating, never
// by renaming, so that a process which holds the file open stays in it.

import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  readSync,
  rmSync,
} from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isErrno } from '../errors.ts'
import { writeAll } from '../files/atomic.ts'
import { openToReaders } from '../files/modes.ts'
import { openUntrusted } from '../files/small-file.ts'

/** Above this many bytes the log moves to `pkg.log.1`: some 50,000 lines, and a file that an editor still opens. */
const MAX_BYTES = 5 * 1024 * 1024

const FILE = {
  what: 'a log',
  code: 'IO',
  hint: 'Move it out of the way: the next line makes a new one.',
} as const

/** Milliseconds between two looks of somebody who follows the log. */
const FOLLOW_MS = 200

export type Log = (text: string) => void

/** A log that writes each text as one line, with the time and who speaks. */
export function openLog(file: string, speaker: string): Log {
  return (text) => {
    const line = `${new Date().toISOString()} ${speaker}: ${text.replaceAll('\n', '\n  ')}\n`
    try {
      const fd = openLogFile(file)
      try {
        rotate(file, fd)
        writeAll(fd, Buffer.from(line))
      } finally {
        closeSync(fd)
      }
    } catch {
      // A full disk or a removed prefix: there is nowhere left to say so, and the mount matters more.
    }
  }
}

/** The log, to append to; made where it is missing. Throws IO for a link and for what is no file in its place. */
export function openLogFile(file: string): number {
  const fd = openUntrusted(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, FILE)
  openToReaders(file)
  return fd
}

/** What is written to the log from its last `lines` lines on, until the signal is aborted. */
export async function* followLog(file: string, lines: number, signal: AbortSignal): AsyncIterable<string> {
  let at = logSize(file)
  yield* tailLog(file, lines)
  let rest = ''
  while (!signal.aborted) {
    await delay(FOLLOW_MS, undefined, { signal }).catch(() => {})
    const size = logSize(file)
    if (size === at) continue
    const parts = (rest + readFrom(file, at)).split('\n')
    rest = parts.pop() ?? ''
    at = size
    yield* parts
  }
}

/** Bytes in the log now: where what comes next begins. */
export function logSize(file: string): number {
  return lstatSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** The last `lines` lines of the log, from byte `from` on, without empty ones; [] when there is none. */
export function tailLog(file: string, lines: number, from = 0): string[] {
  const text = readFrom(file, from)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .slice(-lines)
}

/** What was written from byte `from` on, at most the last MAX_BYTES of it. A log that was cut is read from its start. Throws IO as `openLogFile`. */
export function readFrom(file: string, from: number): string {
  let fd: number
  try {
    fd = openUntrusted(file, constants.O_RDONLY, FILE)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
  try {
    const { size } = fstatSync(fd)
    const start = Math.max(from > size ? 0 : from, size - MAX_BYTES)
    const buffer = Buffer.alloc(size - start)
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, start))
  } finally {
    closeSync(fd)
  }
}

/** Cut also where the old one cannot be kept: it would fill the disk. */
function rotate(file: string, fd: number): void {
  if (fstatSync(fd).size <= MAX_BYTES) return
  const old = `${file}.1`
  try {
    // Never through a link that lies there.
    rmSync(old, { force: true })
    copyFileSync(file, old, constants.COPYFILE_EXCL)
  } catch {}
  ftruncateSync(fd)
}
