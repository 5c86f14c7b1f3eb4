// How results look to people: colours, tables, sizes, dates. Pure functions but
// for `write`, which waits until a pipe has taken the bytes. Whatever was named or
// written by others goes through `printable` before it is shown; --json is exact.

import { formatBytes } from '../../amounts.ts'
import { codeOf, PkgError } from '../../errors.ts'

export { formatBytes }

export type Style = Readonly<{
  bold(text: string): string
  dim(text: string): string
  green(text: string): string
  yellow(text: string): string
  red(text: string): string
}>

/** Colours for a stream: only on a terminal, and not under NO_COLOR (no-color.org) or TERM=dumb. */
export function styleFor(
  stream: { isTTY?: boolean },
  { NO_COLOR, TERM }: NodeJS.ProcessEnv = process.env,
): Style {
  const colours = stream.isTTY === true && !NO_COLOR && TERM !== 'dumb'
  // SGR codes of ECMA-48: each pair switches on, and off again without touching the others.
  const sgr = (on: number, off: number) => (text: string) =>
    colours && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return { bold: sgr(1, 22), dim: sgr(2, 22), green: sgr(32, 39), yellow: sgr(33, 39), red: sgr(31, 39) }
}

/** A change of size, with its sign: `+1.5 KiB`. */
export function formatChange(bytes: number): string {
  return bytes < 0 ? `-${formatBytes(-bytes)}` : `+${formatBytes(bytes)}`
}

/** Local time, to the minute: `2026-11-21 09:05`. */
export function formatDate(date: Date | string): string {
  const at = new Date(date)
  if (Number.isNaN(at.getTime())) return '?'
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}

/** `3 blocks`, `1 block`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}

const ESCAPES = /\u001b\[\d+m/g

export type TableOptions = {
  style: Style
  /** columns that end together */
  right?: number[]
  /** columns are at least so wide; raised to what these rows take, for the pieces of one table */
  widths?: number[]
}

/** Columns under their headings (none: no line for them), two spaces apart. */
export function table(
  headings: string[],
  rows: string[][],
  { style, right = [], widths = [] }: TableOptions,
): string {
  const lines = headings.length > 0 ? [headings.map((heading) => style.dim(heading)), ...rows] : rows
  const width = (text: string) => text.replace(ESCAPES, '').length
  for (const line of lines) {
    for (const [column, cell] of line.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell))
  }
  return lines
    .map((line) => {
      const cells = line.map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - width(cell))
        return right.includes(column) ? padding + cell : cell + padding
      })
      return cells.join('  ').trimEnd()
    })
    .join('\n')
}

/** Names and values, the values below each other. Undefined ones are left out. */
export function fields(pairs: [string, string | undefined][], style: Style): string {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}`).join('\n')
}

/**
 * A text of others as it may be shown: control characters, which could move the
 * cursor, fake a line or turn its direction, are escaped. Names out of a DAG are
 * hostile (invariant 7).
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The same for a message of several lines: its newlines stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** The record that `--json` prints. CIDs become strings, sets lists, dates ISO 8601, undefined nothing. */
export function toJson(result: unknown): string {
  return JSON.stringify(
    result ?? {},
    (_, value: unknown) => {
      if (typeof value === 'bigint') return Number(value)
      if (value instanceof Set) return [...value]
      if (value instanceof Map) return Object.fromEntries(value)
      // A CID's own toJSON is the DAG-JSON form {"/": "bafy…"}.
      if (isDagJsonLink(value)) return value['/']
      return value
    },
    2,
  )
}

function isDagJsonLink(value: unknown): value is { '/': string } {
  return typeof value === 'object' && value !== null && '/' in value && typeof value['/'] === 'string'
}

/**
 * Writes all of `text` and resolves when the system has it: an exit before would cut a pipe short.
 * Throws NO_SPACE, IO, as the system has it, naming the stream.
 */
export function write(stream: NodeJS.WritableStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(cannotWrite(stream, error)) : resolve()))
  })
}

function cannotWrite(stream: NodeJS.WritableStream, cause: Error): Error {
  const name = stream === process.stderr ? 'standard error' : 'standard output'
  const why = /^E[A-Z0-9]+: (.*?), \w+$/.exec(cause.message)?.[1] ?? cause.message
  const code = codeOf(cause)
  return new PkgError(code === 'INTERNAL' ? 'IO' : code, `${name} cannot be written: ${why}`, { cause })
}
