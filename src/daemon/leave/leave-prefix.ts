// What a user takes away of a prefix who leaves: all of one that nobody else has
// anything in, else the user's own profile and pins. Looked at first, then done in
// steps; each may be done again, so that a run that was killed is gone on with.
//
// Only names that we make are taken, and no link is followed: what lies on another
// disk, or beside ours in the same directory, stays. What marks a prefix goes last.

import { lstatSync, realpathSync, rmdirSync, type Stats, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { isErrno, PkgError } from '../../errors.ts'
import { namesIn } from '../../files/directory.ts'
import { failpoint } from '../../files/failpoint.ts'
import { runningHere } from '../../files/pid-file.ts'
import { mountState } from '../../mount/mountpoint.ts'
import { SUBTYPE } from '../../mount/options.ts'
import { type PrefixPaths, prefixPaths, shellWord, userName } from '../../paths.ts'
import { readMounts } from '../../pins/mount-table.ts'
import { UNFINISHED } from '../../pins/names.ts'
import { listPins } from '../../pins/pins.ts'
import { removeTree } from '../../store/checkout/remove-tree.ts'
import { stopDaemon } from '../client/client.ts'
import { requireStoreUnused } from '../mount/mount-users.ts'
import { requireOwnPrefix } from '../own-prefix.ts'
import { foreignEntries } from './own-names.ts'

/** What one step takes away, and how. Idempotent. */
export type LeaveStep = { name: string; what: string; path: string; run(): void | Promise<void> }
/** What is left as it is, and why. */
export type Staying = { path: string; why: string }
export type Leaving = { steps: LeaveStep[]; stays: Staying[] }

/** `force`: also while programs run from the store; they may die of it. */
export type LeaveOptions = { force?: boolean }

/**
 * The steps by which this user leaves a prefix; none where there is nothing of that user's. Throws BUSY, naming
 * the processes, while programs run from a store that would go, and for a mount below it that is not ours;
 * PERMISSION as root in what is another user's; USAGE where the prefix is a directory for more than that.
 */
export async function planLeaving(
  paths: PrefixPaths,
  { force = false }: LeaveOptions = {},
): Promise<Leaving> {
  const root = statSync(paths.root, { throwIfNoEntry: false })
  if (root === undefined || !isPrefix(paths)) return { steps: [], stays: [] }
  requireOwnPrefix(paths)
  const others = otherUsers(paths)
  const isOwn = root.uid === process.geteuid?.()
  const links = await linksElsewhere(paths)
  if (isOwn && others.length === 0) {
    const all = await planAll(paths, force)
    return { steps: all.steps, stays: [...all.stays, ...links] }
  }
  const own = planOwn(paths)
  const why = isOwn ? `in use by ${others.join(', ')}` : 'another user’s'
  return { steps: own.steps, stays: [...own.stays, ...links, { path: paths.root, why }] }
}

/** The user's registries, profiles and other links outside the prefix: what they led to goes, or is kept no more. */
async function linksElsewhere(paths: PrefixPaths): Promise<Staying[]> {
  return (await listPins({ paths }, { user: userName() }))
    .filter(({ kind, remembered }) => kind === 'auto' && !remembered)
    .map(({ path }) => ({ path, why: 'yours to remove: what it leads to is kept no more' }))
}

async function planAll(paths: PrefixPaths, force: boolean): Promise<Leaving> {
  const place = realpathSync(paths.root)
  const ours = namesOf(paths).filter((name) => look(join(place, name)) !== undefined)
  requirePrefixOnly(place)
  requireNoMountBelow(paths)
  if (!force) await requireStoreUnused(paths)
  const stays = namesIn(place)
    .filter((name) => !ours.includes(name))
    .map((name) => join(place, name))
    .concat(foreignEntries(prefixPaths(place), { mounted: mountState(paths) !== 'none' }))
    .map((path) => ({ path, why: 'not of pkg' }))
  for (const name of ours.filter((name) => look(join(place, name))?.isSymbolicLink()))
    stays.push({ path: realpathOf(join(place, name)), why: `only the link ${join(place, name)} goes` })
  if (place !== paths.root) stays.push({ path: place, why: `${paths.root} leads there; it is emptied` })
  const runs = runningHere(paths.daemonPid) !== undefined || mountState(paths) !== 'none'
  const daemon = {
    name: 'daemon',
    what: 'daemon and mount',
    path: paths.store,
    run: async () => void (await stopDaemon(paths, { force })),
  }
  const prefix = { name: 'prefix', what: 'prefix', path: paths.root, run: () => removePrefix(paths, place) }
  return { steps: [...(runs ? [daemon] : []), prefix], stays }
}

/** True also for what a run that was killed left, to the last empty directory; never for what only has names as ours. */
function isPrefix({ root, blocks, blocksTemp, tempPins, profilesPerUser }: PrefixPaths): boolean {
  const isThere = (path: string) => look(path) !== undefined
  if (isThere(blocksTemp) || (isThere(tempPins) && isThere(profilesPerUser))) return true
  return namesIn(root, ['ENOTDIR', 'EACCES']).every(
    (name) => join(root, name) === blocks && isEmptyDirectory(blocks),
  )
}

/** Of the prefix, in the order in which they go. */
function namesOf({ profilesPerUser, pins, store, var: variable, config, blocks }: PrefixPaths): string[] {
  return [dirname(profilesPerUser), pins, store, variable, config, blocks].map((path) =>
    path.slice(path.lastIndexOf('/') + 1),
  )
}

async function removePrefix(paths: PrefixPaths, place: string): Promise<void> {
  // One may have been mounted since.
  if (mountState(paths) !== 'none') await stopDaemon(paths)
  requireNoMountBelow(paths)
  for (const parent of [paths.profilesPerUser, paths.pinsPerUser]) {
    // An empty one of another user's is that user's until it is gone: nobody goes into it.
    for (const name of namesIn(parent, ['ENOTDIR'])) {
      if (name !== userName() && look(join(parent, name))?.isDirectory()) rmdirSync(join(parent, name))
    }
  }
  const blocks = join(place, basename(paths.blocks))
  const stay = new Set(foreignEntries(prefixPaths(place), { mounted: false }))
  for (const name of namesOf(paths)) {
    // By its last entry one knows it for a prefix.
    if (join(place, name) === blocks && look(blocks)?.isDirectory())
      await emptyBut(blocks, new Set([...stay, join(blocks, basename(paths.blocksTemp))]))
    await removeBut(join(place, name), stay)
    failpoint(`leave:${name}`)
  }
  // A mount of its own, a place in another user's directory, or what is not ours keeps the directory.
  if (place === paths.root) removeIfEmpty(place)
}

/** The user's own directories; those above are not this user's, and the directories themselves may have to stay. */
function planOwn(paths: PrefixPaths): Leaving {
  const { profilesPerUser, pinsPerUser } = paths
  const places = [
    { name: 'profile', what: 'profile', path: join(profilesPerUser, userName()) },
    { name: 'pins', what: 'pins', path: join(pinsPerUser, userName()) },
  ]
  const steps: LeaveStep[] = []
  const stays: Staying[] = []
  for (const place of places) {
    const stats = look(place.path)
    if (stats?.isSymbolicLink()) stays.push({ path: realpathOf(place.path), why: `${place.path} is a link` })
    if (!stats?.isDirectory() || stats.uid !== process.geteuid?.() || namesIn(place.path).length === 0)
      continue
    requireNoMountBelow(paths, place.path)
    steps.push({ ...place, run: () => empty(place.path) })
  }
  return { steps, stays }
}

/** Removes what lies at `path`, but the entries that `stay`, and the directories in which they are. */
async function removeBut(path: string, stay: ReadonlySet<string>): Promise<void> {
  if (stay.has(path)) return
  const holdsOne = [...stay].some((one) => one.startsWith(`${path}/`))
  if (!holdsOne) return await removeTree(path)
  await emptyBut(path, stay)
  removeIfEmpty(path)
}

async function emptyBut(directory: string, stay: ReadonlySet<string> = new Set()): Promise<void> {
  for (const name of namesIn(directory)) await removeBut(join(directory, name), stay)
}

async function empty(directory: string): Promise<void> {
  await emptyBut(directory)
  removeIfEmpty(directory)
}

/** Users but this one who have something in the prefix, or may have. */
function otherUsers({ profilesPerUser, pinsPerUser }: PrefixPaths): string[] {
  const found = [profilesPerUser, pinsPerUser].flatMap((parent) =>
    namesIn(parent, ['ENOTDIR', 'EACCES']).filter(
      (name) => name !== userName() && !name.startsWith(UNFINISHED) && !isEmptyDirectory(join(parent, name)),
    ),
  )
  return [...new Set(found)]
}

function isEmptyDirectory(path: string): boolean {
  try {
    return look(path)?.isDirectory() === true && namesIn(path).length === 0
  } catch {
    // What cannot be read may hold something.
    return false
  }
}

/** In `/` or a home other programs have a `var` or `store` too. */
function requirePrefixOnly(place: string): void {
  if (place !== '/' && place !== realpathOf(homedir())) return
  throw new PkgError('USAGE', `${place} is a directory for more than a prefix: nothing was taken away`, {
    hint: 'Stop the daemon (`pkg daemon stop`), and remove by hand what is of pkg: blocks, store, pins, profiles, var, config.json.',
  })
}

/** Our own mount is taken away before; what somebody else mounted over the store is no more ours than elsewhere. */
function requireNoMountBelow({ root, store }: PrefixPaths, directory = root): void {
  const [place, own] = [realpathOf(directory), join(realpathSync(root), basename(store))]
  const other = readMounts().find(({ point, type }) => {
    return point.startsWith(`${place}/`) && !(point === own && type === `fuse.${SUBTYPE}`)
  })
  if (other === undefined) return
  throw new PkgError('BUSY', `${other.point} is a mount of ${other.source}, and not of pkg`, {
    hint: `Take it away first: umount ${shellWord(other.point)}`,
  })
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'EACCES', 'EPERM', 'EROFS')) throw error
  }
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // It leads to nothing.
    return resolve(path)
  }
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}
