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
  /** imports that the daemon takes at once, in all and of one user */
  'uploads.atOnce': 16,
  'uploads.atOncePerUser': 4,
  /** bytes of imports that wait in the daemon's memory, shared among those under way */
  'uploads.memoryBytes': 16 * MIB,
  /** bytes a second below which an import gives way when another one finds no place */
  'uploads.minBytesPerSecond': 16 * 1024,
  /** how long, in seconds, a client may have the daemon protect what it uploaded, and how many at once for one user */
  'uploads.holdSeconds': 900,
  'uploads.holdsPerUser': 16,
  /** what one user may have in the store: bytes that the user's roots reach, or had when last collected and wrote since */
  'uploads.quotaBytes': Number.MAX_SAFE_INTEGER,
  /** the same as a part of the file system that the store lies on */
  'uploads.quotaPercent': 50,
  /** free space that uploads leave: both of these, as ext4 does for root */
  'uploads.reserveBytes': 256 * MIB,
  'uploads.reservePercent': 5,
  /** connections at once: of all to the public socket, and of one user to the user's own */
  'users.publicConnections': 64,
  'users.connections': 32,
  /** sockets of users that are open at once; those that were not used for longest are closed, and made again by `hello` */
  'users.sockets': 512,
  /** links of one other user that root's collector reads; what lies beyond keeps nothing */
  'users.maxLinks': 100_000,
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
