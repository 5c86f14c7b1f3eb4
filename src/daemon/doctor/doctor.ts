// What a machine has and lacks for the mount and the profile: `pkg doctor`.
// Every check looks, changes nothing, and says what to do. A finding is `false`
// when something cannot work, 'note' when it works less well or for fewer, or
// when nothing is wrong.

import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { EXIT, hasCode, isErrno, type PkgError } from '../../errors.ts'
import { runningProcess } from '../../files/pid-file.ts'
import { describeMode, type ModeInForce } from '../../mount/mode.ts'
import { coverAt, type MountEntry, mountAt, mountState } from '../../mount/mountpoint.ts'
import { type Check, checkFuse } from '../../mount/requirements.ts'
import { type PrefixPaths, profileLink, shellWord } from '../../paths.ts'
import { findCurrentGeneration, openProfile } from '../../profiles/profile.ts'
import { Blocks } from '../../store/blocks/blocks.ts'
import { type DaemonState, daemonState } from '../client/client.ts'
import { describeElsewhere, wayOut } from '../elsewhere.ts'
import { silenceCheck } from '../silence.ts'
import { damageCheck } from './damage.ts'
import { hiddenCheck } from './hidden.ts'
import { modesCheck } from './modes.ts'
import { profileCheck } from './profile.ts'

export type { Check }

/** The Node.js that everything is tested with; 22.18 is the least that runs it (native-notes/node.md). */
const TESTED_NODE = 24

/** Bytes of free space below which an install of something the size of Node.js may fail, and below which everything does. */
const LITTLE_SPACE = 1024 ** 3
const NO_SPACE = 64 * 1024 ** 2

/** A daemon takes a stale mount away as well, and tells why it cannot mount. */
const START_HINT = 'Commands start it when they need it; or run `pkg daemon start`.'
const ROOT_STARTS = 'Root starts it, nobody else may: `pkg daemon start`.'

export type DoctorOptions = { env?: NodeJS.ProcessEnv }

/** All findings, in the order in which one would mend them. Never throws for what it looks at, never waits long. */
export async function runDoctor(
  paths: PrefixPaths,
  { env = process.env }: DoctorOptions = {},
): Promise<Check[]> {
  const inForce = describeMode(paths)
  return [
    nodeCheck(process.versions.node),
    // In root's prefix nobody else ever mounts.
    ...(systemCheck(paths) ? [] : fuseChecks(checkFuse(), guestOf(paths), inForce)),
    modeCheck(inForce),
    systemCheck(paths) ?? prefixCheck(paths),
    modesCheck(paths),
    await damageCheck(paths),
    spaceCheck(paths),
    ...(await processChecks(paths)),
    profileCheck(paths, { mode: inForce.mode, guest: systemCheck(paths) }),
    ...[hiddenCheck(paths) ?? []].flat(),
    pathCheck(env),
  ]
}

/** Somebody else's mount: its path, and whether this user may enter it. */
export type Guest = { store: string; open: boolean }

/** What this user's own mount would lack is nothing in the way of programs on somebody else's. */
export function fuseChecks(
  checks: readonly Check[],
  guest: Guest | undefined,
  { mode }: Pick<ModeInForce, 'mode'> = { mode: 'mount' },
): Check[] {
  if (!guest?.open && mode === 'mount') return [...checks]
  const instead = guest?.open
    ? `needed only for a mount of your own: another user serves ${guest.store}`
    : 'programs run from checkouts instead'
  return checks.map((check): Check => {
    return check.ok === false ? { ...check, ok: 'note', detail: `${check.detail}; ${instead}` } : check
  })
}

/** How programs see the store, and why so. */
export function modeCheck({ mode, why, undecided, wrongSettings }: ReturnType<typeof describeMode>): Check {
  const name = 'store mode'
  if (undecided) return { name, ok: 'note', detail: why, hint: ROOT_STARTS }
  if (wrongSettings !== undefined) {
    return { name, ok: false, exit: EXIT.usage, detail: wrongSettings, hint: 'Mend the file.' }
  }
  const how = mode === 'mount' ? 'mount' : 'checkout: programs run from real trees, no mount is needed'
  return { name, ok: true, detail: `${how} (${why})` }
}

/** Undefined where nothing is mounted, nobody serves it, or this user does. Does not look into it (invariant 8). */
function guestOf(paths: PrefixPaths, uid = process.getuid?.() ?? 0): Guest | undefined {
  const mount = mountState(paths) === 'mounted' ? mountAt(paths.store) : undefined
  return mount && guestAt(mount, uid)
}

/** The same from the mount table. fuse(8): without `allow_other` not even root may enter. */
export function guestAt(
  { mountpoint, options }: Pick<MountEntry, 'mountpoint' | 'options'>,
  uid: number,
): Guest | undefined {
  if (options.includes(`user_id=${uid}`)) return undefined
  return { store: mountpoint, open: options.includes('allow_other') }
}

/** Is this a Node.js that we know? */
export function nodeCheck(version: string): Check {
  const known = Number(version.split('.')[0]) === TESTED_NODE
  return {
    name: 'node',
    ok: known || 'note',
    detail: `Node.js ${version}`,
    ...(!known && { hint: `Tested with ${TESTED_NODE}: install with optional dependencies to get it.` }),
  }
}

/** Does a shell find the programs of the profile? */
export function pathCheck(env: NodeJS.ProcessEnv): Check {
  const bin = join(profileLink(env), 'bin')
  const found = (env.PATH ?? '').split(delimiter).includes(bin)
  return {
    name: 'path',
    ok: found || 'note',
    detail: found ? `PATH has ${bin}` : `PATH lacks ${bin}`,
    ...(!found && { hint: 'Run `pkg init --modify-shell`, then open a new shell.' }),
  }
}

/** May this user add to a prefix of root's? Undefined where it is not root's, or this is root. */
export function systemCheck({ root, daemonPid }: Pick<PrefixPaths, 'root' | 'daemonPid'>): Check | undefined {
  const owner = statSync(root, { throwIfNoEntry: false })?.uid
  if (owner !== 0 || process.getuid?.() === 0) return undefined
  const detail = `${root} is root's; this user adds to it through its daemon`
  if (runningProcess(daemonPid)) return { name: 'prefix', ok: true, detail }
  const hint =
    'Have root run `pkg daemon start`, or set PKG_PREFIX to a directory of your own. What is installed runs while the store is mounted.'
  return { name: 'prefix', ok: false, detail: `${detail}, which does not run`, hint }
}

/** May this user write the prefix, or make it? */
export function prefixCheck({ root, blocksTemp }: Pick<PrefixPaths, 'root' | 'blocksTemp'>): Check {
  // What counts is the directory where blocks are made; before `pkg init` the nearest one above.
  const place = nearestExisting(existsSync(root) ? blocksTemp : root)
  try {
    accessSync(place, constants.W_OK)
    return {
      name: 'prefix',
      ok: true,
      detail: `${root} can be written${existsSync(root) ? '' : ' (not there yet)'}`,
    }
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error
    const hint = 'Set PKG_PREFIX to a directory of your own, or work as its owner.'
    return {
      name: 'prefix',
      ok: false,
      exit: EXIT.permission,
      detail: `this user may not write ${place}`,
      hint,
    }
  }
}

function spaceCheck({ root }: Pick<PrefixPaths, 'root'>): Check {
  const { bavail, bsize } = statfsSync(nearestExisting(root))
  const free = bavail * bsize
  const ok = free >= LITTLE_SPACE ? true : free >= NO_SPACE && 'note'
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${root}`
  return {
    name: 'space',
    ok,
    detail,
    ...(ok !== true && { exit: EXIT.noSpace, hint: 'Free some space; `pkg gc` may help.' }),
  }
}

async function processChecks(paths: PrefixPaths): Promise<Check[]> {
  const { state, silence } = await stateOrSilence(paths)
  const daemon: Check = silence
    ? { name: 'daemon', ok: false, detail: silence.message, hint: silence.hint ?? START_HINT }
    : state.running
      ? { name: 'daemon', ok: true, detail: `runs (pid ${state.pid})` }
      : {
          name: 'daemon',
          ok: 'note',
          detail: 'does not run',
          hint: systemCheck(paths) ? ROOT_STARTS : START_HINT,
        }
  const mount = mountCheck(paths, state)
  return [daemon, (mount.ok === true && state.mount === 'mounted' && (await silenceCheck(paths))) || mount]
}

function mountCheck(paths: PrefixPaths, { running, mode, mount, status, elsewhere }: DaemonState): Check {
  const { store, log } = paths
  const guest = guestOf(paths)
  const name = 'mount'
  const error = status?.mount.error
  const start = systemCheck(paths) ? ROOT_STARTS : START_HINT
  if (guest?.open === false) {
    const detail = `${store} is mounted by another user, who lets nobody else in`
    return {
      name,
      ok: false,
      exit: EXIT.permission,
      detail,
      hint: 'Set PKG_PREFIX to a directory of your own.',
    }
  }
  const cover = coverAt(store)
  if (cover) {
    return {
      name,
      ok: false,
      detail: `something else is mounted over ${store}: ${cover.type} of ${cover.source}`,
      hint: `Whoever put it there takes it away: \`umount ${shellWord(store)}\`.`,
    }
  }
  if (mount === 'mounted') return { name, ok: true, detail: `${store} is mounted` }
  if (mode === 'checkout' && mount === 'none') return { name, ok: true, detail: `${store} needs none` }
  if (elsewhere) {
    const detail = `${describeElsewhere(paths, elsewhere)}, and its mount is not seen here`
    return { name, ok: false, detail, hint: wayOut(elsewhere) }
  }
  if (error) return { name, ok: false, detail: error.message, hint: error.hint ?? `See ${log}.` }
  if (mount === 'stale')
    return { name, ok: false, detail: `${store} is mounted and nobody serves it`, hint: start }
  const used = hasInstalled(paths)
  const detail = `${store} is not mounted${used ? ': what is installed cannot run' : ''}`
  return { name, ok: running || used ? false : 'note', detail, hint: start }
}

/** Does this user's profile show anything? A profile that is not as it should be is the profile check's to tell. */
function hasInstalled(paths: PrefixPaths): boolean {
  try {
    return findCurrentGeneration(openProfile({ paths, blocks: new Blocks(paths) })) !== undefined
  } catch {
    return false
  }
}

/** A daemon of another user may not answer us: then what /proc shows is what we know. */
async function stateOrSilence(paths: PrefixPaths): Promise<{ state: DaemonState; silence?: PkgError }> {
  try {
    return { state: await daemonState(paths) }
  } catch (error) {
    const state = await daemonState(paths, { ask: false })
    return { state, ...(hasCode(error, 'NO_DAEMON') && { silence: error }) }
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path))
}
