// Checkouts: `<prefix>/store/<cid>` as a real read-only tree, for machines that
// cannot mount. What is there is whole: a tree is made under another name, all of
// it from verified blocks, flushed (by one syncfs, if it is large) and then renamed. So a process
// that is killed, and a power cut, leave the whole tree or none (invariant 4: blocks
// before checkout before link).
//
// Any number of processes may make the same one: the first rename wins, and the
// others find it there. Whoever needs a checkout holds its DAG by a temp pin or a
// link before it looks: a collector reads those, under `pins/lock`, right before it
// takes a checkout away (collector/checkouts.ts).

import { lstatSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../errors.ts'
import { fsyncDirectory } from '../../files/atomic.ts'
import { FEW_FILES, syncFiles, syncFilesystem } from '../../files/barrier.ts'
import { failpoint } from '../../files/failpoint.ts'
import { ensurePrefixEntry } from '../../files/modes.ts'
import type { PrefixPaths } from '../../paths.ts'
import { CID, nodeKey } from '../cid.ts'
import { requireSpace } from '../export.ts'
import { physicalStore, shownTarget } from '../shown-target.ts'
import type { Store } from '../store.ts'
import { type CopyFigures, copyTree, type SealedCopy } from '../unixfs/copy.ts'
import { renewLinks } from './links.ts'
import { checkoutName, checkoutPath, isCheckedOut, temporaryTree } from './names.ts'
import { FilePool } from './pool.ts'
import { removeTree } from './remove-tree.ts'
import { siblingsOf, siblingTarget } from './siblings.ts'

/** What checking out needs of a store: not its index. */
export type CheckoutStore = Pick<Store, 'paths' | 'blocks'> & {
  /** Where this user may not write the prefix: has whoever may make them. */
  makeCheckouts?: ((cids: readonly CID[], options: CheckOutOptions) => Promise<void>) | undefined
}

export type CheckOutOptions = {
  signal?: AbortSignal | undefined
  /** bytes of files so far, in all trees of this call */
  onProgress?: ((progress: { bytes: number }) => void) | undefined
}

export type CheckedOut = {
  /** the trees that were made, packages before what links to them; none when all were there */
  made: { cid: CID; figures: CopyFigures }[]
}

/** A checkout that is to be made. */
export type Planned = { cid: CID; siblings: ReadonlyMap<string, CID> }
type Staged = Planned & { temporary: string; figures: CopyFigures }

/**
 * Makes the checkouts of these DAGs, and of the packages that they link to, where
 * they are not there yet; when it returns they are on stable storage. Idempotent.
 * The caller protects the DAGs, and knows that nothing is mounted on `store`.
 * Throws NO_SPACE before the first byte where the disk has no room, BAD_NODE, NOT_UNIXFS,
 * MISSING_BLOCK, CORRUPT_BLOCK, UNSUPPORTED (a path too long), PERMISSION, READ_ONLY;
 * what was not there before is not there then.
 */
export async function checkOut(
  store: CheckoutStore,
  cids: CID | Iterable<CID>,
  options: CheckOutOptions = {},
): Promise<CheckedOut> {
  if (store.makeCheckouts === undefined) await renewLinks(store)
  const planned = missingCheckouts(store, cids)
  if (planned.length === 0) return { made: [] }
  if (store.makeCheckouts) {
    await store.makeCheckouts(
      planned.map(({ cid }) => cid),
      options,
    )
    return { made: [] }
  }
  const { paths } = store
  ensurePrefixEntry(paths.store)
  const pool = new FilePool(store)
  const staged: Staged[] = []
  try {
    let bytes = 0
    for (const plan of planned) {
      const temporary = temporaryTree(paths)
      // Known before it is made, so that it is removed also when that fails half-way.
      const one: Staged = { ...plan, temporary, figures: NO_FIGURES }
      staged.push(one)
      one.figures = await stage(store, one, pool, {
        signal: options.signal,
        onProgress: (figures) => options.onProgress?.({ bytes: bytes + figures.bytes }),
      })
      bytes += one.figures.bytes
    }
    failpoint('checkout:staged')
    await flush(paths.store, staged)
    failpoint('checkout:flushed')
    pool.publish()
    failpoint('checkout:pooled')
    for (const { cid, temporary } of staged) {
      place(temporary, checkoutPath(paths, cid))
      failpoint('checkout:placed')
    }
    fsyncDirectory(paths.store)
    failpoint('checkout:done')
    return { made: staged.map(({ cid, figures }) => ({ cid, figures })) }
  } finally {
    for (const { temporary } of staged) await removeTree(temporary)
  }
}

/**
 * The checkouts that `cids` need and that are not there, packages before what links
 * to them. A look each where all is there; reads the blocks that link to packages,
 * and no index. Throws as reading blocks does.
 */
export function missingCheckouts(store: CheckoutStore, cids: CID | Iterable<CID>): Planned[] {
  const single = CID.asCID(cids)
  const stack = (single === null ? [...(cids as Iterable<CID>)] : [single]).reverse().map(unseen)
  const seen = new Set<string>()
  const planned: Planned[] = []
  for (let next = stack.at(-1); next !== undefined; next = stack.at(-1)) {
    if (next.siblings !== undefined) {
      stack.pop()
      if (!isCheckedOut(store.paths, next.cid)) planned.push({ cid: next.cid, siblings: next.siblings })
    } else if (seen.has(checkoutName(next.cid))) stack.pop()
    else {
      seen.add(checkoutName(next.cid))
      next.siblings = siblingsOf(store.blocks, next.cid)
      for (const sibling of next.siblings.values()) stack.push(unseen(sibling))
    }
  }
  return planned
}

const NO_FIGURES: CopyFigures = { files: 0, directories: 0, symlinks: 0, bytes: 0, leftOut: [] }

function unseen(cid: CID): { cid: CID; siblings?: ReadonlyMap<string, CID> } {
  return { cid: cid.toV1() }
}

type StageOptions = { signal: AbortSignal | undefined; onProgress: (figures: CopyFigures) => void }

async function stage(
  store: CheckoutStore,
  { cid, siblings, temporary }: Staged,
  pool: FilePool,
  { signal, onProgress }: StageOptions,
): Promise<CopyFigures> {
  const asLinks = new Set(Array.from(siblings.values(), nodeKey))
  requireSpace(store, cid, store.paths.store, { asLinks })
  return await copyTree(store.blocks, cid, temporary, {
    signal,
    onProgress,
    sealed: sealedCopy(store.paths, pool, { siblings }),
  })
}

/** A copy of what lies at `at` in a checkout whose packages beside it are `siblings`. */
export function sealedCopy(
  paths: Pick<PrefixPaths, 'root'>,
  pool: FilePool,
  { siblings, at = '' }: { siblings: ReadonlyMap<string, CID>; at?: string },
): SealedCopy {
  const store = physicalStore(paths)
  return {
    reuse: (node, file) => pool.reuse(node, file),
    copied: (node, file) => pool.copied(node, file),
    linkFor(path) {
      const sibling = siblings.get(at + path)
      return sibling && shownTarget(store, at + path, siblingTarget(at + path, sibling))
    },
    shown: (path, target) => shownTarget(store, at + path, target),
  }
}

async function flush(store: string, staged: readonly Staged[]): Promise<void> {
  const entries = staged.reduce((sum, { figures }) => sum + figures.files + figures.directories, 0)
  if (entries > FEW_FILES) await syncFilesystem(store)
  else for (const { temporary } of staged) syncFiles(filesAndDirectories(temporary))
}

/** Symlinks are flushed with the directory that they lie in. */
function* filesAndDirectories(path: string): Generator<string> {
  const stats = lstatSync(path)
  if (stats.isDirectory()) for (const name of readdirSync(path)) yield* filesAndDirectories(join(path, name))
  if (!stats.isSymbolicLink()) yield path
}

/** Somebody else's that is there already stays: it is the same, and programs may run from it. */
function place(temporary: string, target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return
  try {
    renameSync(temporary, target)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR')) throw error
  }
}
