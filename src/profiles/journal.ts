// The journal of a profile: which generation was current after which. A line of JSON is appended, and is on stable
// storage, before the rename that it tells of; so a last line may tell of a rename that never happened, and a line
// may be cut short. Replaying it gives the way back: rollback goes to where one came from, not to the lower number.

import { closeSync, constants, fstatSync, fsyncSync, readSync } from 'node:fs'
import { isErrno } from '../errors.ts'
import { writeAll } from '../files/atomic.ts'
import { openUntrusted, readSmallFile } from '../files/small-file.ts'
import { generationNumber } from '../pins/names.ts'

export type Action = 'install' | 'remove' | 'upgrade' | 'switch' | 'rollback'

export interface Move {
  /** ISO 8601, UTC */
  readonly time: string
  /** the generation that was current; null when there was none */
  readonly from: number | null
  readonly to: number
  readonly action: Action
}

/** Some 150,000 moves. */
const MAX_BYTES = 16 * 1024 * 1024

/** A line of ours has some 100 characters; JSON.parse needs seconds for a MiB of brackets. */
const MAX_LINE = 4096

const FILE = {
  what: "a profile's journal",
  code: 'IO',
  hint: 'Move it out of the way: without it the way back goes by the numbers of the generations.',
} as const

/**
 * Appends a line and flushes it. The caller holds the profile's lock. Throws IO when something else
 * than a file is in its place: nothing is written through a link.
 */
export function appendMove(file: string, move: Move): void {
  const fd = openUntrusted(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, FILE)
  try {
    // A line that a crash cut short must not swallow this one.
    const last = Buffer.alloc(1, '\n')
    readSync(fd, last, 0, 1, Math.max(0, fstatSync(fd).size - 1))
    const cut = last[0] !== 0x0a
    writeAll(fd, Buffer.from(`${cut ? '\n' : ''}${JSON.stringify(move)}\n`))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** All whole lines, in order; lines that are none of ours are passed over. No file: no moves. Throws IO as `appendMove`. */
export function readMoves(file: string): Move[] {
  let text: string
  try {
    text = readSmallFile(file, { maxBytes: MAX_BYTES, ...FILE }).toString()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
  return text.split('\n').flatMap((line) => parseMove(line) ?? [])
}

/**
 * The moves that happened, given the generation that is current in truth. A line whose rename never happened is
 * one that the next line (or the truth) does not continue: it is left out. Where someone moved `current` by hand
 * the jump is put in as a switch.
 */
export function movesThatHappened(moves: readonly Move[], current: number | undefined): Move[] {
  const happened: Move[] = []
  for (const [index, move] of moves.entries()) {
    const next = index + 1 < moves.length ? (moves[index + 1] as Move).from : (current ?? null)
    if (next === move.from) continue
    happened.push(move)
    if (next !== move.to && next !== null) {
      happened.push({ time: move.time, from: move.to, to: next, action: 'switch' })
    }
  }
  return happened
}

/**
 * The generations to go back to, the nearest last. A rollback goes down the stack (to its target, when that is on
 * it); every other move puts the generation that it left on top.
 */
export function wayBack(moves: readonly Move[]): number[] {
  const stack: number[] = []
  for (const { from, to, action } of moves) {
    const at = action === 'rollback' ? stack.lastIndexOf(to) : -1
    if (at !== -1) stack.length = at
    else if (from !== null) stack.push(from)
  }
  return stack
}

function parseMove(line: string): Move | undefined {
  if (line.length > MAX_LINE) return undefined
  let value: Partial<Move> | null
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  const { time, from, to, action } = value ?? {}
  if (typeof time !== 'string' || typeof action !== 'string' || !isNumber(to)) return undefined
  return from === null || isNumber(from) ? { time, from, to, action } : undefined
}

/** Of a generation: a number beyond all that there can be would be the start of all that come. */
const isNumber = (value: unknown): value is number =>
  Number.isInteger(value) && generationNumber(String(value)) !== undefined
