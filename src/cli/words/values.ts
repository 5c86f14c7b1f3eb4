// What follows an option or stands as an argument: one strict reader for each kind of
// value. Nothing is rounded, trimmed or taken for 0: a script whose variable is not set
// says `--keep ""`. Sizes and times are in amounts.ts. Pure.

import { PkgError } from '../../errors.ts'
import { unveilWord } from './dash.ts'

/**
 * For yargs' `coerce`: the value by `read`. Its error becomes the value, for yargs would keep
 * nothing but the message of it; parse.ts throws it. What is empty or given twice passes:
 * parse.ts refuses that, of whatever kind it is.
 */
export function reading<T>(read: (text: string) => T): (value: unknown) => T {
  return (value) => {
    if (typeof value !== 'string' || value === '') return value as T
    try {
      return read(unveilWord(value))
    } catch (error) {
      return error as T
    }
  }
}

/** A generation's number. Throws USAGE. */
export function generationNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not the number of a generation`, {
    hint: '`pkg history` lists them.',
  })
}

/** Reads a whole number of at least `least`, in plain digits. Throws USAGE. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    if (/^(?:0|-?[1-9]\d{0,14})$/.test(text) && Number(text) >= least) return Number(text)
    const bound = Number.isFinite(least) ? ` of at least ${least}` : ''
    throw new PkgError('USAGE', `${JSON.stringify(text)} is not a whole number${bound}`, {
      hint: 'Digits alone, for example 3.',
    })
  }
}
