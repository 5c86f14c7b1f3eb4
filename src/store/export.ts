// Copies a tree out of the store into real files (`pkg store get`).
// All is written into a fresh place beside the destination and renamed last: no
// name and no symlink of the DAG can lead a write elsewhere, nor can others who swap
// directories meanwhile, for the one around the destination is held by its
// descriptor; and whoever interrupts it finds the destination as it was (invariant 7).

import { randomBytes } from 'node:crypto'
import { lstatSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { HeldDirectory } from '../files/held-directory.ts'
import type { CID } from './cid.ts'
import type { Store } from './store.ts'
import { type CopyFigures, copyTree } from './unixfs/copy.ts'
import { measureTree } from './unixfs/measure.ts'

export type ExportOptions = {
  /** replace what is at the destination */
  force?: boolean
  signal?: AbortSignal
  onProgress?: (figures: CopyFigures) => void
}

/**
 * Makes `destination` a copy of what `cid` names: a file, a symlink or a whole
 * directory, with executable bits and stored times. Entries that no file system
 * can hold, or that are not UnixFS, are left out and listed.
 * Throws EXISTS, NOT_FOUND (no directory to put it in), NO_SPACE before the
 * first byte, PERMISSION, BAD_NODE, MISSING_BLOCK, CORRUPT_BLOCK; nothing is left then.
 */
export async function exportTree(
  store: Store,
  cid: CID,
  destination: string,
  { force = false, signal, onProgress }: ExportOptions = {},
): Promise<CopyFigures> {
  const target = resolve(destination)
  if (!force && exists(target)) {
    throw new PkgError('EXISTS', `${target} is there already`, {
      hint: 'Name another path, or replace it with --force.',
    })
  }
  requireSpace(store, cid, dirname(target))
  const around = new HeldDirectory(dirname(target), { followLinks: true })
  const fresh = around.at(besides(target))
  try {
    const pathBytes = Buffer.byteLength(join(dirname(target), basename(fresh)))
    const figures = await copyTree(store.blocks, cid, fresh, { signal, onProgress, pathBytes })
    moveInto(fresh, around.at(basename(target)))
    return figures
  } catch (error) {
    throw asOf(target, fresh, error)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    around.close()
  }
}

/** An error that names the place where it is made says nothing to who named another one. */
function asOf(target: string, fresh: string, error: unknown): unknown {
  // By whichever descriptor: the end of its name is random. Below it all is ours, and nothing is forbidden.
  const ours = new RegExp(`/proc/self/fd/\\d+/[^/]*[.]${fresh.split('.').at(-1)}(?=')`, 'g')
  if (!(error instanceof Error) || !ours.test(error.message)) return error
  if (!isErrno(error, 'EACCES', 'EPERM')) {
    return Object.assign(error, { message: error.message.replaceAll(ours, target) })
  }
  return new PkgError('PERMISSION', `${target} cannot be made: this user may not write ${dirname(target)}`, {
    hint: 'Name another destination.',
    cause: error,
  })
}

/**
 * Refuses what the disk cannot hold: a DAG of a few blocks may stand for more than
 * any disk. `asLinks`: see measure.ts. Throws NO_SPACE, NOT_FOUND for the directory, and what reading blocks throws.
 */
export function requireSpace(
  store: Pick<Store, 'blocks'>,
  cid: CID,
  directory: string,
  { asLinks }: { asLinks?: ReadonlySet<string> } = {},
): void {
  if (!exists(directory)) throw new PkgError('NOT_FOUND', `there is no directory ${directory}`)
  const { entries, bytes } = measureTree(store.blocks, cid, {
    blockSize: (leaf) => store.blocks.size(leaf),
    asLinks,
  })
  const disk = statfsSync(directory)
  // File systems that make inodes as they need them say that they have none.
  const room = disk.files === 0 || entries <= disk.ffree
  if (room && bytes <= disk.bavail * disk.bsize) return
  throw new PkgError(
    'NO_SPACE',
    `${cid} has ${entries} entries and ${bytes} bytes: more than ${directory} has room for`,
  )
}

/** What was there goes away only once the new one is in its place. */
function moveInto(fresh: string, target: string): void {
  if (!exists(target)) {
    renameSync(fresh, target)
    return
  }
  const old = join(dirname(target), besides(target))
  renameSync(target, old)
  try {
    renameSync(fresh, target)
  } catch (error) {
    renameSync(old, target)
    throw error
  }
  rmSync(old, { recursive: true, force: true })
}

/** A name that nobody has in the directory of `target`. */
function besides(target: string): string {
  return `.${basename(target).slice(0, 200)}.${randomBytes(6).toString('hex')}`
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) return false
    throw error
  }
}
