// Links of checkouts that lead to one beside it are absolute (../shown-target.ts), so
// they name where the store is; `var/checkout-links` says which place they name. Where that is
// another one (the prefix was moved or copied), or there is none (the trees are of an
// earlier version), whoever may write the store makes those links anew, before it makes
// or looks at trees: each by one rename, so a program sees the old link or the new one.
// Killed at any instant, the next comer does it again.

import { lstatSync, lutimesSync, readFileSync, readlinkSync, renameSync, symlinkSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { codeOf, hasCode, isErrno } from '../../errors.ts'
import { writeFileAtomic } from '../../files/atomic.ts'
import { syncFilesystem } from '../../files/barrier.ts'
import { namesIn } from '../../files/directory.ts'
import { failpoint } from '../../files/failpoint.ts'
import { withLock } from '../../files/lock.ts'
import { ensurePrefixEntry } from '../../files/modes.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import type { CID } from '../cid.ts'
import { physicalStore, shownTarget } from '../shown-target.ts'
import { resolvePath } from '../unixfs/resolve.ts'
import { checkoutPath, cidOfCheckout, temporaryTree } from './names.ts'
import { withOpenParent } from './open-parent.ts'
import { removeTree } from './remove-tree.ts'
import { siblingsOf, siblingTarget } from './siblings.ts'

/** Entries looked at between two turns of the event loop: some 5 ms. */
const BREATH_ENTRIES = 1024

/** What keeps links from being made anew, and is no reason to refuse what else can be done. */
const NOT_NOW = ['PERMISSION', 'READ_ONLY', 'NO_SPACE']

type LinkPaths = Pick<PrefixPaths, 'root' | 'store' | 'var' | 'checkoutLinks'>
type LinkStore = { paths: LinkPaths; blocks: BlockGetter }

/** The store that links of checkouts name; undefined where nothing says so. */
export function linkedStore({ checkoutLinks }: Pick<PrefixPaths, 'checkoutLinks'>): string | undefined {
  try {
    return readFileSync(checkoutLinks, 'utf8').replace(/\n$/, '')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')) return undefined
    throw error
  }
}

/**
 * Has the links of all checkouts name the place where the store is; one small file is
 * read where they do. The caller knows that nothing is mounted on the store. Where there is
 * no room or no right to write it stays as it is, and `store verify` tells. Throws BUSY.
 */
export async function renewLinks(store: LinkStore): Promise<void> {
  const { paths } = store
  const place = physicalStore(paths)
  if (linkedStore(paths) === place) return
  try {
    ensurePrefixEntry(paths.var)
    await withLock(paths.checkoutLinks, () => renewTrees(store, place))
  } catch (error) {
    if (!NOT_NOW.includes(codeOf(error))) throw error
  }
}

async function renewTrees(store: LinkStore, place: string): Promise<void> {
  const { paths } = store
  const before = linkedStore(paths)
  if (before === place) return
  let changed = 0
  for (const name of namesIn(paths.store)) {
    const cid = cidOfCheckout(name)
    if (cid !== undefined) changed += await renewTree(store, cid, { before, place })
  }
  failpoint('checkout:relinked')
  if (changed > 0) await syncFilesystem(paths.store)
  writeFileAtomic(paths.checkoutLinks, `${place}\n`)
}

type Places = { before: string | undefined; place: string }

/** Gives how many links were made anew. */
async function renewTree(store: LinkStore, cid: CID, { before, place }: Places): Promise<number> {
  const root = checkoutPath(store.paths, cid)
  const siblings = ignoring(() => siblingsOf(store.blocks, cid)) ?? new Map<string, CID>()
  const waiting = ['']
  let changed = 0
  let looked = 0
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (++looked % BREATH_ENTRIES === 0) await nextTurn()
    const at = root + path
    const stats = lstatSync(at, { throwIfNoEntry: false })
    if (stats?.isDirectory()) for (const name of namesIn(at)) waiting.push(`${path}/${name}`)
    // One that is a DAG by itself leads to none beside it.
    if (!stats?.isSymbolicLink() || path === '') continue
    const text = readlinkSync(at)
    const wanted = shownTarget(place, path, storedTarget(path, text))
    if (wanted === text) continue
    if (await replaceLink(store, at, wanted)) changed += 1
  }
  return changed

  /** What the link at `path` is in its DAG: as it is here, unless it is one that was shown. */
  function storedTarget(path: string, text: string): string {
    if (before === undefined || !text.startsWith(`${before}/`)) return text
    const sibling = siblings.get(path)
    if (sibling !== undefined) return siblingTarget(path, sibling)
    const node = ignoring(() => resolvePath(store.blocks, cid, path).node)
    if (node?.type === 'symlink') return node.target
    // Its blocks are not here to tell. What leads to the store by this very name has been shown.
    return '../'.repeat(path.split('/').length - 1) + text.slice(before.length + 1)
  }
}

/** False for one that a collector took away meanwhile. */
async function replaceLink({ paths }: LinkStore, at: string, target: string): Promise<boolean> {
  const temporary = temporaryTree(paths)
  try {
    symlinkSync(target, temporary)
    lutimesSync(temporary, 0, 0)
    withOpenParent(at, () => renameSync(temporary, at))
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  } finally {
    await removeTree(temporary)
  }
}

/** undefined where blocks are missing or damaged: that has other witnesses. */
function ignoring<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (
      hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK', 'BAD_NODE', 'NOT_UNIXFS', 'NOT_FOUND', 'NOT_DIRECTORY')
    )
      return undefined
    throw error
  }
}
