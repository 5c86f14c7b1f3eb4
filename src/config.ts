// Settings of a prefix: `<prefix>/config.json` over the defaults below.
// A missing file means the defaults; an unknown key or a wrong type is an error
// that names it, so that a slip of the pen never passes silently.

import { isErrno, PkgError } from './errors.ts'
import { readSmallFile } from './files/small-file.ts'
import type { PrefixPaths } from './paths.ts'

const MIB = 1024 * 1024

/** A thousand times what all settings take. */
const MAX_BYTES = MIB

const DEFAULTS = {
  /** bytes of verified blocks that the mount server keeps in memory */
  'mount.cacheBytes': 256 * MIB,
  /** KiB the kernel reads ahead on the mount, where it lets us set that; 128 is its own default */
  'mount.readAheadKiB': 1024,
  /** blocks that a collection deletes for one taking of the lock: what an add may have to wait for */
  'gc.batch': 256,
  /** how programs see the store: through the mount, as real trees below `store/`, or as the machine can (mount/mode.ts) */
  'store.mode': 'auto' as 'auto' | 'mount' | 'checkout',
}

/** Settings that are words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  'store.mode': ['auto', 'mount', 'checkout'],
}

const FILE = { maxBytes: MAX_BYTES, what: 'a file of settings', code: 'USAGE', followLinks: true } as const

export type Config = Readonly<typeof DEFAULTS>

/** Reads the settings. Throws USAGE naming the file and the key that is wrong. */
export function readConfig(paths: Pick<PrefixPaths, 'config'>): Config {
  let text: string
  try {
    text = readSmallFile(paths.config, FILE).toString()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return DEFAULTS
    throw error
  }
  return { ...DEFAULTS, ...checkSettings(parse(text, paths.config), paths.config) }
}

function parse(text: string, file: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (cause) {
    throw new PkgError('USAGE', `${file} is not JSON`, { cause })
  }
  throw new PkgError('USAGE', `${file} must hold one JSON object`)
}

function checkSettings(settings: object, file: string): Partial<Config> {
  for (const [key, value] of Object.entries(settings)) {
    if (!Object.hasOwn(DEFAULTS, key)) {
      throw new PkgError('USAGE', `${file}: there is no setting "${key}"`, {
        hint: `Settings: ${Object.keys(DEFAULTS).join(', ')}.`,
      })
    }
    const words = WORDS[key]
    if (words !== undefined) {
      if (words.includes(value)) continue
      throw new PkgError('USAGE', `${file}: "${key}" must be one of ${words.join(', ')}`)
    }
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw new PkgError('USAGE', `${file}: "${key}" must be a whole number above 0`)
    }
  }
  return settings
}
