// Sizes and times as people write them, in arguments and in settings, and read them. Pure.

import { PkgError } from './errors.ts'

const KIB = 1024
const BYTES: Readonly<Record<string, number>> = { '': 1, k: KIB, m: KIB ** 2, g: KIB ** 3, t: KIB ** 4 }

const HOUR_MS = 3_600_000
const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
}

/** A part of a file system, or so many bytes of it. */
export type Share = { bytes: number } | { percent: number }

/** `10G`, `1.5 GiB`, `500MB`, `4096`: binary units, however they are spelled, in bytes. Throws USAGE. */
export function parseBytes(text: string): number {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([kmgt]?)(?:i?b)?$/i.exec(text) ?? []
  const bytes = Math.round(Number(number) * (BYTES[unit.toLowerCase()] ?? Number.NaN))
  if (number !== undefined && Number.isSafeInteger(bytes)) return bytes
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not a size`, {
    hint: 'For example: 500M, 10G, 1.5T.',
  })
}

/** The same, or `20%` of the file system. Throws USAGE. */
export function parseShare(text: string): Share {
  const [, number] = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text) ?? []
  if (number === undefined && !text.includes('%')) return { bytes: parseBytes(text) }
  const percent = Number(number)
  if (percent <= 100) return { percent }
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not a part of a file system`, {
    hint: 'For example: 20%, 10G.',
  })
}

/** How many bytes of a file system of `totalBytes` that is. */
export function shareBytes(share: Share, totalBytes: number): number {
  return 'bytes' in share ? share.bytes : Math.ceil((totalBytes * share.percent) / 100)
}

/** `30d`, `12h`, `2w`, `90m`, `45s` in milliseconds. Throws USAGE. */
export function parseDuration(text: string): number {
  const [, number, unit = ''] = /^(\d{1,6}) ?([smhdw])$/.exec(text) ?? []
  const factor = UNITS_MS[unit]
  if (number !== undefined && factor !== undefined) return Number(number) * factor
  throw new PkgError('USAGE', `${JSON.stringify(text)} is not a time`, {
    hint: 'For example: 30d, 12h, 2w, 90m.',
  })
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1536` as `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  if (Math.abs(bytes) < 1024) return `${bytes} B`
  let value = bytes
  let unit = ''
  for (const next of UNITS) {
    value /= 1024
    unit = next
    // 1023.95 would be shown as "1024.0".
    if (Math.abs(value) < 1023.95) break
  }
  return `${value.toFixed(1)} ${unit}`
}
