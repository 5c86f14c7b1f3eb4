// Numbers as people write them in arguments; sizes and times are in amounts.ts. Pure.

import { PkgError } from '../errors.ts'

/** A generation's number. Throws USAGE. */
export function generationNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not the number of a generation`, {
    hint: '`pkg history` lists them.',
  })
}

/** A whole number of at least `least`. Throws USAGE naming the option. */
export function wholeNumber(value: number, option: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new PkgError('USAGE', `${option} must be a whole number of at least ${least}`)
}
