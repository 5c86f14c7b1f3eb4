// A registry that one keeps: a directory with
//   registry.json   {"format":1,"name":…}
//   root            -> <prefix>/store/<root CID>, watched by an auto pin
// Each change builds the new DAG, flushes it and moves `root` by one rename, under
// the lock `lock` in that directory: a reader, and a kill at any instant, finds the
// old registry or the new one, and two publishers both take effect.

import { existsSync, lstatSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { symlinkAtomic, writeFileAtomic } from '../files/atomic.ts'
import { makeDirectory } from '../files/directory.ts'
import { failpoint } from '../files/failpoint.ts'
import { withLock } from '../files/lock.ts'
import { readSmallFile } from '../files/small-file.ts'
import { checkName, shellWord, storePath } from '../paths.ts'
import { autoPin } from '../pins/auto-pin.ts'
import { resolveLink, storeSpellings } from '../pins/resolve-link.ts'
import { type AddSession, withAdd } from '../store/add/add.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { decodeHeader, encodeHeader, MAX_HEADER_BYTES, REGISTRY_FILE } from './layout.ts'
import type { PackageRecord } from './record.ts'
import { buildRegistry, type RecordChanges, updateRecords } from './tree.ts'

const ROOT_LINK = 'root'

/** What a registry's auto pin is filed under. */
const PIN_NAME = 'registry'

/** How often a root may be replaced, and collected, between two looks. */
const TRIES = 100

export type RegistryDirectory = { directory: string; name: string; root: CID }

export type CreateOptions = {
  /** the directory's own name when absent */
  name?: string | undefined
  /** what it holds from the start */
  records?: Iterable<PackageRecord>
}

/**
 * Makes `directory` (which may exist, empty or not) a registry.
 * Throws EXISTS when it is one already, BAD_NAME.
 */
export async function createRegistry(
  store: Store,
  directory: string,
  { name = basename(resolve(directory)), records = [] }: CreateOptions = {},
): Promise<RegistryDirectory> {
  checkName(name, 'name for a registry')
  const place = resolve(directory)
  makeDirectory(place)
  return withLock(join(place, 'lock'), async () => {
    if (existsSync(join(place, REGISTRY_FILE))) {
      throw new PkgError('EXISTS', `${directory} is a registry already`, {
        hint: `Publish into it: pkg publish <cid> --registry ${shellWord(directory)}`,
      })
    }
    return withAdd(store, async (add) => {
      const root = await buildRegistry(add, name, records)
      await add.commit([root])
      linkRoot(store, place, root)
      await autoPin(store, join(place, ROOT_LINK), { prog: PIN_NAME })
      // Last: it is what makes the directory a registry, so a rerun after a kill starts anew.
      writeFileAtomic(join(place, REGISTRY_FILE), encodeHeader(name))
      return { directory: place, name, root }
    })
  })
}

/** What the directory holds now. Throws NOT_FOUND when it is not there, BAD_REGISTRY when it is no registry, or its root cannot be told or is lost. */
export function openRegistry(store: Store, directory: string): RegistryDirectory {
  const place = resolve(directory)
  const { name } = decodeHeader(readHeaderFile(place), directory)
  for (let tries = 1; ; tries++) {
    const root = readRoot(store, directory)
    if (store.blocks.has(root)) return { directory: place, name, root }
    // Its publisher may have moved on, and a collector taken the root that was; and that may be the root again by now.
    if (tries === TRIES) throw lostBlocks(directory, root, store.paths.root)
  }
}

function readRoot(store: Pick<Store, 'paths'>, directory: string): CID {
  const found = resolveLink(join(resolve(directory), ROOT_LINK), storeSpellings(store.paths))
  if (found.state === 'store') return found.cid
  throw new PkgError('BAD_REGISTRY', `${directory}/${ROOT_LINK} does not lead into ${store.paths.store}`, {
    hint: `It was made for another prefix: set PKG_PREFIX to that one. Where that is gone: ${anew(directory)}`,
  })
}

/**
 * As `openRegistry`, and sees to it that what it holds is kept: the auto pin of a
 * directory that was moved is still on its old place. That of somebody else's
 * directory is theirs to renew. The root is protected as long as `add` is open.
 * Throws what `openRegistry` does, PERMISSION, BUSY.
 */
export async function keepRegistry(
  store: Store,
  directory: string,
  add: AddSession,
): Promise<RegistryDirectory> {
  const link = join(resolve(directory), ROOT_LINK)
  for (let tries = 1; ; tries++) {
    const { root } = openRegistry(store, directory)
    await add.protect(root)
    if (lstatSync(link).uid === process.getuid?.()) await autoPin(store, link, { prog: PIN_NAME })
    // Again: before it was protected a collector may have taken it.
    const kept = openRegistry(store, directory)
    if (kept.root.equals(root) || tries === TRIES) return kept
  }
}

/**
 * Changes records: `change` gets the root in force and gives what to set; it runs
 * under the registry's lock, so it must be short. Gives the new root.
 */
export async function changeRegistry(
  store: Store,
  directory: string,
  change: (root: CID) => RecordChanges,
): Promise<RegistryDirectory> {
  const { directory: place, name } = await withAdd(store, (add) => keepRegistry(store, directory, add))
  return withLock(join(place, 'lock'), async (lost) => {
    const { root: before } = openRegistry(store, place)
    return withAdd(store, async (add) => {
      const root = await updateRecords(add, before, change(before))
      if (root.equals(before)) return { directory: place, name, root }
      failpoint('registry:built')
      // What the old root keeps is complete as far as it was; only new blocks were added.
      await add.commit(store.index.isComplete(before) ? [root] : [])
      failpoint('registry:committed')
      lost.throwIfAborted()
      linkRoot(store, place, root)
      failpoint('registry:linked')
      // It remembers where the link leads, for times when it cannot be read.
      await autoPin(store, join(place, ROOT_LINK), { prog: PIN_NAME })
      return { directory: place, name, root }
    })
  })
}

function lostBlocks(directory: string, root: CID, prefix: string): PkgError {
  return new PkgError('BAD_REGISTRY', `${directory} has lost its blocks: ${root} is not in ${prefix}`, {
    hint:
      'Was the directory moved, and a collection run before it was used at its new place, or the prefix made anew? ' +
      `Where there is a copy: pkg store import. Else: ${anew(directory)}`,
  })
}

/** Without that file the directory is no registry. */
function anew(directory: string): string {
  const place = shellWord(directory)
  return `rm ${shellWord(join(directory, REGISTRY_FILE))} && pkg registry create ${place}, and publish the packages again.`
}

function linkRoot(store: Store, place: string, root: CID): void {
  symlinkAtomic(storePath(store.paths, root), join(place, ROOT_LINK))
}

function readHeaderFile(place: string): Uint8Array {
  try {
    return readSmallFile(join(place, REGISTRY_FILE), {
      maxBytes: MAX_HEADER_BYTES,
      what: "a registry's header",
      code: 'BAD_REGISTRY',
    })
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    if (!existsSync(place)) {
      throw new PkgError('NOT_FOUND', `there is no directory ${place}`, {
        hint: `Name one that is there, or make a registry: pkg registry create ${shellWord(place)}`,
        cause,
      })
    }
    throw new PkgError('BAD_REGISTRY', `${place} is not a registry: it has no ${REGISTRY_FILE}`, {
      hint: `Make one: pkg registry create ${shellWord(place)}`,
      cause,
    })
  }
}
