// Dropping roots by hand: pins, auto pins, generations that are not in use, and what
// dead processes left. All that was named is looked at before anything goes.
//
// Links are removed through a descriptor of their directory, and only when they still
// are what was shown: the directory may be another user's, who moves it meanwhile.

import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readlinkSync,
  realpathSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { withLock } from '../files/lock.ts'
import { type PrefixPaths, shellWord } from '../paths.ts'
import { removeTempPin } from '../store/add/temp-pin.ts'
import { withRoomToRemove } from '../store/room.ts'
import { recordFile } from './names.ts'
import { type ListedRoot, listRoots } from './root-list.ts'

/**
 * Drops the roots at these paths, as `listRoots` shows them; what they kept lies there
 * until the next collection. When it returns, no crash brings a link back. Throws
 * NOT_FOUND for a path that is no root, BUSY for one that is in use, PERMISSION for
 * one of somebody else's. What was refused, and what came before it, stays as it was,
 * but where a directory turns out to be closed, those before it are gone.
 */
export async function dropRoots(
  { paths }: { paths: PrefixPaths },
  wanted: readonly string[],
): Promise<ListedRoot[]> {
  const all = await listRoots({ paths })
  const roots = [...new Set(wanted.flatMap((text) => find(all, text)))]
  for (const root of roots) {
    refuseOthers(root)
    refuseInUse(root, all)
  }
  return withRoomToRemove(paths, async () => {
    const dropped: ListedRoot[] = []
    for (const root of roots) {
      try {
        if (await drop(paths, root)) dropped.push(root)
      } catch (cause) {
        if (!isErrno(cause, 'EACCES', 'EPERM', 'EROFS', 'ELOOP', 'ENOTDIR')) throw cause
        throw notPermitted(root, cause)
      }
    }
    return dropped
  })
}

/** Drops all that is dead, as a collection would. Throws as `dropRoots`. */
export async function dropDead(store: { paths: PrefixPaths }): Promise<ListedRoot[]> {
  const dead = (await listRoots(store)).filter(({ state }) => state === 'dead')
  return dropRoots(
    store,
    dead.map(({ path }) => path),
  )
}

/** Two users may have an auto pin of one link: both are meant. */
function find(all: readonly ListedRoot[], text: string): ListedRoot[] {
  const path = physical(text)
  const found = all.filter((root) =>
    [root.path, root.autoPin].some((one) => one === path || one === resolve(text)),
  )
  if (found.length > 0) return found
  throw new PkgError('NOT_FOUND', `there is no root at ${text}`, {
    hint: '`pkg roots` lists them with their paths; `pkg pin remove` takes the name of a pin.',
  })
}

/** A path's own name stays: it is the link that is meant, not what it leads to. */
function physical(text: string): string {
  const path = resolve(text)
  try {
    return join(realpathSync(dirname(path)), basename(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return path
    throw error
  }
}

/** Before whether it is in use: that is no concern of who could not drop it anyway. */
function refuseOthers(root: ListedRoot): void {
  if (root.user === undefined || root.kind === 'process' || root.kind === 'temp') return
  try {
    accessSync(dirname(root.autoPin ?? root.path), constants.W_OK)
  } catch (cause) {
    if (isErrno(cause, 'EACCES', 'EPERM', 'EROFS')) throw notPermitted(root, cause)
    // Gone, or none: dropping it finds that out.
  }
}

function notPermitted({ path, user }: ListedRoot, cause: unknown): PkgError {
  const hint = user === undefined ? 'Work as its owner.' : `It is ${user}'s: work as that user, or as root.`
  return new PkgError('PERMISSION', `${path} cannot be dropped: this user may not write its directory`, {
    hint,
    cause,
  })
}

function refuseInUse(root: ListedRoot, all: readonly ListedRoot[]): void {
  const { kind, state, name, path, profile, number, current } = root
  const refuse = (why: string, hint: string) => {
    throw new PkgError('BUSY', `${path} cannot be dropped: ${why}`, { hint })
  }
  if (kind === 'process') refuse(`the program ${name} runs`, `End it: kill ${path.split('/')[2]}`)
  if (kind === 'temp' && state === 'alive')
    refuse(`${name} lives, and adds or runs something`, 'It goes when that process ends.')
  if (profile !== undefined && number === undefined)
    refuse(
      'it is a link in a profile and no generation',
      `Without it the profile may not work: rm ${shellWord(path)}`,
    )
  if (current) refuse('it is the current generation', 'Go to another one first: pkg switch <n>, pkg rollback')
  const through = all.find((other) => other.path !== path && other.via?.includes(path))
  if (through && kind === 'generation')
    refuse(`${through.path} leads through it`, `Drop that first: pkg roots drop ${shellWord(through.path)}`)
  if (state === 'unreadable' && root.cid === undefined)
    refuse(`it cannot be read (${root.errno})`, 'Make it readable or mount it; or remove it by hand.')
}

/** False when it was gone, or became another. */
async function drop(paths: PrefixPaths, root: ListedRoot): Promise<boolean> {
  const { kind, path, autoPin, profile, number, state } = root
  if (kind === 'temp') {
    removeTempPin(path)
    return true
  }
  if (profile !== undefined && number !== undefined && state === 'alive') {
    const removed = await withLock(join(profile, 'lock'), async () => {
      // Looked at again: a switch may have come to it since.
      const now = (await listRoots({ paths })).find((one) => one.path === path)
      if (now) refuseInUse(now, [])
      return removeLinks(path, [basename(path)], root)
    })
    if (autoPin === undefined) return removed
  }
  if (autoPin === undefined) return removeLinks(path, [basename(path)], root)
  // Under the lock, as autoPin makes them: else one that is made anew meanwhile would go.
  return withLock(paths.pinsLock, () =>
    removeLinks(autoPin, [basename(autoPin), basename(recordFile(autoPin))]),
  )
}

/** The first of the names decides: false when it is not there, or leads elsewhere than the root did. */
function removeLinks(
  path: string,
  names: readonly string[],
  { cid }: Pick<ListedRoot, 'cid'> = { cid: undefined },
): boolean {
  const fd = openDirectory(dirname(path))
  if (fd === undefined) return false
  try {
    const [link = '', ...others] = names.map((name) => `/proc/self/fd/${fd}/${name}`)
    if (cid !== undefined && basename(readlinkSync(link)) !== cid.toString()) return false
    unlinkSync(link)
    for (const other of others) removeTempPin(other)
    fsyncSync(fd)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return false
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Undefined for one that is gone, as that of a name's last pin is. */
function openDirectory(directory: string): number | undefined {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
