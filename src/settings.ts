// The table of a prefix's settings: name, default, what it does, what its value must be.
// Help, `pkg config`, and the reading of `config.json` are made from it. Pure.

import { parseBytes, parseDuration, parseShare, type Share } from './amounts.ts'
import { hasCode, PkgError } from './errors.ts'

const MIB = 1024 * 1024

/** A setting that becomes a timer, in seconds: a longer one than Node has would be over at once. */
const LONGEST_TIMER_S = Math.floor((2 ** 31 - 1) / 1000)

/** `value`: as JSON has it. */
type Kind<T> = { must: string; read(value: unknown): T }

export type Setting<T = unknown> = {
  readonly standard: T
  /** the default as one writes it */
  readonly written: number | string
  /** what it does, in one sentence without its end */
  readonly about: string
  readonly kind: Kind<T>
  /** when a change is heeded: at each use, or by a daemon and mount server started after it */
  readonly heeded: 'at once' | 'at start'
}

function setting<T>(
  kind: Kind<T>,
  written: number | string,
  about: string,
  heeded: Setting['heeded'] = 'at once',
): Setting<T> {
  return { standard: kind.read(written), written, about, kind, heeded }
}

const count = atLeast(1, 'a whole number above 0')
const natural = atLeast(0, 'a whole number of 0 or more')
const seconds: Kind<number> = {
  must: `${count.must}, at most ${LONGEST_TIMER_S} (24 days)`,
  read(value) {
    const read = count.read(value)
    if (read > LONGEST_TIMER_S) throw unfit(value)
    return read
  },
}
const size: Kind<number> = {
  must: 'a number of bytes above 0, or like "64M"',
  read: (value) => count.read(typeof value === 'string' ? parseBytes(value) : value),
}
const quota: Kind<number> = {
  must: `${size.must} or "off"`,
  read: (value) => (value === 'off' ? Number.MAX_SAFE_INTEGER : size.read(value)),
}
const share = orOff<Share>({
  must: 'a number of bytes, or like "10G", "20%"',
  read: (value) => (typeof value === 'string' ? parseShare(value) : { bytes: count.read(value) }),
})
const time = orOff<number>({
  must: 'like "30d", "12h"',
  read: (value) => parseDuration(String(value)),
})

export const SETTINGS = {
  'store.mode': setting(
    oneOf('auto', 'mount', 'checkout'),
    'auto',
    'How programs see the store: through the mount, as real trees below store/, or as the machine can',
    'at start',
  ),
  'mount.cacheBytes': setting(
    size,
    64 * MIB,
    'Verified blocks that the mount server keeps in memory',
    'at start',
  ),
  'mount.readAheadKiB': setting(
    count,
    1024,
    'KiB that the kernel reads ahead on the mount, where it lets us set that',
    'at start',
  ),
  'gc.batch': setting(
    count,
    1024,
    'Blocks that a collection deletes for one taking of the lock, at most; it gives it back after 10 ms anyway',
  ),
  'gc.graceSeconds': setting(
    natural,
    0,
    'Blocks without a root that were written less than so many seconds ago stay; a collection of the daemon leaves ten minutes at least',
  ),
  'gc.minFree': setting(
    share,
    1024 * MIB,
    'The daemon collects when less than this is free on the file system',
  ),
  'gc.maxFree': setting(
    share,
    'off',
    'Where such a collection stops: when this much is free; off: when all that is dead is gone',
  ),
  'gc.interval': setting(time, 'off', 'The daemon collects when the last collection is longer ago'),
  'gc.keep': setting(
    orOff(count),
    'off',
    'Of each profile a collection of the daemon keeps so many generations; off: all',
  ),
  'gc.deleteOlderThan': setting(
    time,
    'off',
    'Generations made longer ago go with a collection of the daemon; with gc.keep only those beyond both',
  ),
  'gc.checkSeconds': setting(seconds, 60, 'Between two looks of the daemon at the free space and the clock'),
  'uploads.atOnce': setting(count, 16, 'Imports that the daemon takes at once'),
  'uploads.atOncePerUser': setting(count, 4, 'The same, of one user'),
  'uploads.memoryBytes': setting(
    size,
    16 * MIB,
    'Imports that wait in the daemon’s memory, shared among those under way',
  ),
  'uploads.minBytesPerSecond': setting(
    size,
    16 * 1024,
    'An import that is slower gives way when another one finds no place',
  ),
  'uploads.holdSeconds': setting(
    seconds,
    900,
    'How long a client may have the daemon protect what it uploaded without renewing it',
  ),
  'uploads.holdsPerUser': setting(count, 16, 'How many of those one user may have at once'),
  'uploads.quotaBytes': setting(
    quota,
    'off',
    'What one user may have in the store: what the user’s roots reach, blocks and real trees, and what came since that was last looked at; 4 KiB a block or an entry of a tree on top',
  ),
  'uploads.quotaPercent': setting(count, 50, 'The same as a part of the file system that the store lies on'),
  'uploads.reserveBytes': setting(size, 256 * MIB, 'Free space that uploads leave'),
  'uploads.reservePercent': setting(count, 5, 'The same as a part of the file system, of its files too'),
  'users.publicConnections': setting(count, 64, 'Connections at once to the socket that is everybody’s'),
  'users.connections': setting(count, 32, 'Connections at once to one user’s own socket'),
  'users.sockets': setting(
    count,
    512,
    'Users’ sockets that are open at once; the longest unused are closed, and made again when needed',
  ),
  'users.maxLinks': setting(
    count,
    100_000,
    'Links of one other user that root’s collector reads; what lies beyond keeps nothing',
  ),
} as const satisfies Readonly<Record<string, Setting>>

export type SettingName = keyof typeof SETTINGS
export type Config = { readonly [Name in SettingName]: (typeof SETTINGS)[Name]['standard'] }

export const DEFAULTS = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, { standard }]) => [name, standard]),
) as Config

/** Throws USAGE naming all that there are. `where` begins the message: the file that has the name. */
export function requireSetting(name: string, where?: string): SettingName {
  if (Object.hasOwn(SETTINGS, name)) return name as SettingName
  throw new PkgError('USAGE', `${where === undefined ? '' : `${where}: `}there is no setting "${name}"`, {
    hint: `Settings: ${Object.keys(SETTINGS).join(', ')}.`,
  })
}

/** What a value in JSON stands for. Throws USAGE saying what it must be. */
export function readSetting(name: SettingName, value: unknown, where?: string): unknown {
  const { kind } = SETTINGS[name]
  try {
    return kind.read(value)
  } catch (cause) {
    if (!hasCode(cause, 'USAGE')) throw cause
    const message = `${where === undefined ? '' : `${where}: `}"${name}" must be ${kind.must}`
    throw new PkgError('USAGE', message, { cause })
  }
}

function atLeast(least: number, must: string): Kind<number> {
  return {
    must,
    read(value) {
      if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
      throw unfit(value)
    },
  }
}

function oneOf<const W extends string>(...words: W[]): Kind<W> {
  return {
    must: `one of ${words.join(', ')}`,
    read(value) {
      if (words.includes(value as W)) return value as W
      throw unfit(value)
    },
  }
}

function orOff<T>({ must, read }: Kind<T>): Kind<T | undefined> {
  return { must: `${must} or "off"`, read: (value) => (value === 'off' ? undefined : read(value)) }
}

function unfit(value: unknown): PkgError {
  return new PkgError('USAGE', `${JSON.stringify(value)} does not fit`)
}
