// Where everything lies: pure functions from the prefix to the paths below it.
// Keeps invariant 7's half about names: what a user or a DAG calls something
// becomes part of a path only after `checkName`.

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { type UserInfo, userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { PkgError } from './errors.ts'

/** The longest file name that Linux file systems take, in bytes (NAME_MAX, limits.h). */
const NAME_MAX = 255

export type PrefixPaths = Readonly<{
  root: string
  config: string
  /** one file a block */
  blocks: string
  /** blocks that are being written */
  blocksTemp: string
  /** says since when blocks are on stable storage: see store/add/stable-mark.ts */
  stableMark: string
  /** the mount point */
  store: string
  pins: string
  /** held for moments: see files/lock.ts */
  pinsLock: string
  /** held by a collector for its whole run */
  collector: string
  tempPins: string
  pinsPerUser: string
  profilesPerUser: string
  var: string
  /** SQLite: links, complete DAGs */
  index: string
  /** SQLite: full text of the registries */
  search: string
  log: string
  quarantine: string
  /** says where checkouts' links lead: see store/checkout/links.ts */
  checkoutLinks: string
  daemonPid: string
  daemonSocket: string
  /** the sockets of users who may not write the prefix, one a uid */
  userSockets: string
  mountPid: string
  mountSocket: string
}>

export function prefixPaths(root: string): PrefixPaths {
  const prefix = resolve(root)
  const pins = join(prefix, 'pins')
  const variable = join(prefix, 'var')
  return {
    root: prefix,
    config: join(prefix, 'config.json'),
    blocks: join(prefix, 'blocks'),
    blocksTemp: join(prefix, 'blocks', '.tmp'),
    stableMark: join(prefix, 'blocks', '.stable'),
    store: join(prefix, 'store'),
    pins,
    pinsLock: join(pins, 'lock'),
    collector: join(pins, 'collector'),
    tempPins: join(pins, 'temp'),
    pinsPerUser: join(pins, 'per-user'),
    profilesPerUser: join(prefix, 'profiles', 'per-user'),
    var: variable,
    index: join(variable, 'index.db'),
    search: join(variable, 'search.db'),
    log: join(variable, 'pkg.log'),
    quarantine: join(variable, 'quarantine'),
    checkoutLinks: join(variable, 'checkout-links'),
    daemonPid: join(variable, 'daemon.pid'),
    daemonSocket: join(variable, 'daemon.sock'),
    userSockets: join(variable, 'users'),
    mountPid: join(variable, 'mount.pid'),
    mountSocket: join(variable, 'mount.sock'),
  }
}

/** For tests: who asks, and which prefix a machine's users share. */
export type PrefixChoice = { uid?: number | undefined; shared?: string }

/**
 * The prefix in force: `$PKG_PREFIX`; for root `/ipfs`; for others `$XDG_DATA_HOME/pkg`
 * (XDG Base Directory Specification 0.8), but `/ipfs` for who has no prefix there and
 * can add to that one: may write it, or has a place in root's, or finds root's daemon
 * there. What others make never changes where a user's packages are.
 */
export function resolvePrefix(
  env: NodeJS.ProcessEnv = process.env,
  { uid = process.getuid?.(), shared = '/ipfs' }: PrefixChoice = {},
): string {
  if (env.PKG_PREFIX) return resolve(env.PKG_PREFIX)
  if (uid === 0) return shared
  const own = join(xdgDirectory(env, 'XDG_DATA_HOME', join('.local', 'share')), 'pkg')
  return !existsSync(join(own, 'blocks')) && (mayAdd(shared) || isServed(shared, uid)) ? shared : own
}

/**
 * True for a prefix of root's where this user has a profile, or would get one from the
 * daemon. The profile comes first: a daemon that is stopped takes no packages from view.
 */
function isServed(prefix: string, uid: number | undefined): boolean {
  const { root, profilesPerUser, daemonSocket } = prefixPaths(prefix)
  try {
    if (statSync(root).uid !== 0) return false
    const profile = statSync(join(profilesPerUser, userName()), { throwIfNoEntry: false })
    if (profile !== undefined) return profile.uid === uid
    accessSync(daemonSocket, constants.W_OK)
    return statSync(daemonSocket).uid === 0
  } catch {
    // Not there, or closed: this user cannot work there.
    return false
  }
}

function mayAdd(prefix: string): boolean {
  try {
    for (const name of ['pins', 'blocks']) accessSync(join(prefix, name), constants.W_OK)
    return true
  } catch {
    // Not there, closed or read-only: whatever it is, this user cannot work there.
    return false
  }
}

/** The socket at which only the user with this uid (and root) reaches the daemon. */
export function userSocket(paths: Pick<PrefixPaths, 'userSockets'>, uid: number): string {
  return join(paths.userSockets, `${uid}.sock`)
}

/** The name of the user that runs this process, checked: it becomes a directory's. `uid-1234` where that one has no account. */
export function userName(): string {
  return checkName(account()?.username ?? `uid-${process.geteuid?.()}`, 'user name')
}

/** The home directory: `$HOME`, unless that is empty or relative, which would be another one in each directory. Throws NOT_FOUND where there is none. */
export function homeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const home = env.HOME && isAbsolute(env.HOME) ? env.HOME : account()?.homedir
  if (home !== undefined) return home
  throw new PkgError(
    'NOT_FOUND',
    `uid ${process.geteuid?.()} has no account here, and so no home directory`,
    {
      hint: 'Set HOME to a directory of your own.',
    },
  )
}

/** Undefined where the machine knows no such user, as in containers that run as any uid (getpwuid(3)). */
function account(): UserInfo<string> | undefined {
  try {
    return userInfo()
  } catch (error) {
    if ((error as { info?: { code?: string } }).info?.code === 'ENOENT') return undefined
    throw error
  }
}

/** What `env` names as a base directory, else `standard` below the home. A relative one does not count (XDG Base Directory). */
export function xdgDirectory(env: NodeJS.ProcessEnv, variable: string, standard: string): string {
  const named = env[variable]
  return named && isAbsolute(named) ? named : join(homeDirectory(env), standard)
}

/** The link in the home that PATH goes through, and that every switch leaves alone. */
export function profileLink(env: NodeJS.ProcessEnv = process.env): string {
  return join(homeDirectory(env), '.pkg-profile')
}

/** `<prefix>/store/<cid>[/path]` */
export function storePath(
  paths: Pick<PrefixPaths, 'store'>,
  cid: { toString(): string },
  ...rest: string[]
): string {
  return join(paths.store, cid.toString(), ...rest)
}

/** `text` as one word of a shell's command line, quoted where that is needed: for commands in hints. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./^-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * Gives `name` back when it can be a name that we make: one component of a path, and
 * fit for a terminal. Throws BAD_NAME for what `checkComponent` refuses, and for
 * control characters (C0, DEL, C1).
 */
export function checkName(name: string, what: string): string {
  if (!isComponent(name) || /[\u0000-\u001f\u007f-\u009f]/.test(name)) throw badName(name, what)
  return name
}

/** As `checkName`, for names of links and files of ours: a dot in front is for what is being written. */
export function checkVisibleName(name: string, what: string): string {
  if (name.startsWith('.')) throw badName(name, what)
  return checkName(name, what)
}

/**
 * Gives `name` back when it can be one component of a path, as a DAG may have it.
 * Throws BAD_NAME for '', '.', '..', a slash, a NUL, or more than 255 bytes.
 */
export function checkComponent(name: string, what: string): string {
  if (isComponent(name)) return name
  throw badName(name, what)
}

function isComponent(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false
  return !/[/\0]/.test(name) && Buffer.byteLength(name) <= NAME_MAX
}

function badName(name: string, what: string): PkgError {
  return new PkgError('BAD_NAME', `${JSON.stringify(name.slice(0, 80))} cannot be a ${what}`, {
    hint: 'Use 1 to 255 bytes without "/" and control characters, and not "." in front.',
  })
}
