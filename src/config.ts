// Settings of a prefix: `<prefix>/config.json` over the defaults below.
// A missing file means the defaults; an unknown key or a wrong type is an error
// that names it, so that a slip of the pen never passes silently.

import { parseDuration, parseShare, type Share } from './amounts.ts'
import { hasCode, isErrno, PkgError } from './errors.ts'
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
  'gc.batch': 1024,
  /** blocks without a root that were written less than so many seconds ago stay; 0: what was let go of can go at once */
  'gc.graceSeconds': 0,
  /** the daemon collects when less than this is free on the file system: "2G", "5%", a number of bytes, or "off" */
  'gc.minFree': { bytes: 1024 * MIB } as Share | undefined,
  /** where such a collection stops: when this much is free; "off": when all that is dead is gone */
  'gc.maxFree': undefined as Share | undefined,
  /** the daemon collects when the last collection is longer ago, in ms: "1d", "12h", or "off" */
  'gc.interval': undefined as number | undefined,
  /** of each profile a collection by the daemon keeps this many generations; "off": all */
  'gc.keep': undefined as number | undefined,
  /** generations older than this, in ms, go by a collection of the daemon: "30d", or "off"; with gc.keep only those beyond both */
  'gc.deleteOlderThan': undefined as number | undefined,
  /** seconds between two looks of the daemon at the free space and at the clock */
  'gc.checkSeconds': 60,
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

/** Settings that become timers, in seconds: a longer one than Node has would be over at once. */
const TIMERS = ['gc.checkSeconds', 'uploads.holdSeconds']
const LONGEST_TIMER_S = Math.floor((2 ** 31 - 1) / 1000)

type Reader = { must: string; read(value: unknown): unknown }

const share: Reader = {
  must: 'be a number of bytes, or like "10G", "20%" or "off"',
  read: (value) => (typeof value === 'string' ? parseShare(value) : { bytes: natural(value) }),
}
const time: Reader = { must: 'be like "30d", "12h" or "off"', read: (value) => parseDuration(String(value)) }

/** Settings that can be switched off, and are written otherwise than they are used. */
const READERS: Readonly<Record<string, Reader>> = {
  'gc.minFree': share,
  'gc.maxFree': share,
  'gc.interval': time,
  'gc.deleteOlderThan': time,
  'gc.keep': { must: 'be a whole number above 0, or "off"', read: natural },
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
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(settings)) {
    if (!Object.hasOwn(DEFAULTS, key)) {
      throw new PkgError('USAGE', `${file}: there is no setting "${key}"`, {
        hint: `Settings: ${Object.keys(DEFAULTS).join(', ')}.`,
      })
    }
    const reader = READERS[key]
    if (reader !== undefined) {
      read[key] =
        value === 'off' ? undefined : readWith(reader, value, `${file}: "${key}" must ${reader.must}`)
      continue
    }
    read[key] = value
    const words = WORDS[key]
    if (words !== undefined) {
      if (words.includes(value)) continue
      throw new PkgError('USAGE', `${file}: "${key}" must be one of ${words.join(', ')}`)
    }
    const least = DEFAULTS[key as keyof Config] === 0 ? 0 : 1
    if (!Number.isSafeInteger(value) || (value as number) < least) {
      throw new PkgError(
        'USAGE',
        `${file}: "${key}" must be a whole number ${least === 0 ? 'of 0 or more' : 'above 0'}`,
      )
    }
    if (TIMERS.includes(key) && (value as number) > LONGEST_TIMER_S) {
      throw new PkgError('USAGE', `${file}: "${key}" must be at most ${LONGEST_TIMER_S} (24 days)`)
    }
  }
  return read as Partial<Config>
}

function readWith({ read }: Reader, value: unknown, message: string): unknown {
  try {
    return read(value)
  } catch (cause) {
    if (!hasCode(cause, 'USAGE')) throw cause
    throw new PkgError('USAGE', message, { cause })
  }
}

/** Throws USAGE. */
function natural(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
  throw new PkgError('USAGE', `${JSON.stringify(value)} is not a whole number above 0`)
}
