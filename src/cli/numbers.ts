// Numbers and times as people write them in arguments. Pure.

import { PkgError } from '../errors.ts'

/** A generation's number. Throws USAGE. */
export function generationNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not the number of a generation`, {
    hint: '`pkg history` lists them.',
  })
}

const HOUR_MS = 3_600_000
const UNITS_MS: Record<string, number> = { m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS }

/** `30d`, `12h`, `2w`, `90m` in milliseconds. Throws USAGE. */
export function duration(text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  const factor = UNITS_MS[unit]
  if (number !== undefined && factor !== undefined) return Number(number) * factor
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not a time`, {
    hint: 'For example: 30d, 12h, 2w, 90m.',
  })
}

/** A whole number of at least `least`. Throws USAGE naming the option. */
export function wholeNumber(value: number, option: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new PkgError('USAGE', `${option} must be a whole number of at least ${least}`)
}
