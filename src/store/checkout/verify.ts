// Checkouts, held against their DAGs: every entry, mode, time and byte. The kernel
// gives a checkout's bytes to its readers unverified; this is what notices bit rot,
// and who wrote to a tree as root.

import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { PkgError } from '../../errors.ts'
import type { CID } from '../cid.ts'
import { physicalStore, shownTarget } from '../shown-target.ts'
import { list } from '../unixfs/directory.ts'
import type { UnixfsNode } from '../unixfs/node.ts'
import { statOf } from '../unixfs/stat.ts'
import { hasTime } from '../unixfs/times.ts'
import type { CheckoutStore } from './check-out.ts'
import { checkoutPath, cidOfCheckout } from './names.ts'
import { whyDifferent } from './same-file.ts'
import { decodeUnixfs, siblingsOf, siblingTarget } from './siblings.ts'

/** Entries looked at between two turns of the event loop. */
const BREATH_ENTRIES = 64

/** An entry that is not what the DAG says. `path` is below the checkout; '' is its root. */
export type TreeDamage = {
  /** the checkout */
  cid: CID
  path: string
  /** in words that follow "it" */
  why: string
  /** what belongs there: a node or a link to a package beside; undefined where nothing does */
  right?: { cid: CID } | { link: string }
  /** the entry itself is right, and only a directory's mode or time is not */
  attributesOnly?: boolean
}

export type TreeProgress = { trees: number; entries: number }

export type VerifyTreesOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: TreeProgress) => void) | undefined
}

/** The CIDs that are checked out. The caller knows that nothing is mounted on `store`. */
export function listCheckouts({ paths }: Pick<CheckoutStore, 'paths'>): CID[] {
  const names = lstatSync(paths.store, { throwIfNoEntry: false }) ? readdirSync(paths.store) : []
  return names.sort().flatMap((name) => cidOfCheckout(name) ?? [])
}

/**
 * What differs in one checkout, top down; below an entry that is wrong nothing is
 * looked at. What cannot be compared, since its blocks are missing or damaged, is
 * left out: that damage has other witnesses (store/verify/verify.ts). One that goes meanwhile is none.
 */
export async function* verifyCheckout(
  store: CheckoutStore,
  cid: CID,
  { signal, onEntry }: { signal?: AbortSignal | undefined; onEntry?: () => void } = {},
): AsyncGenerator<TreeDamage> {
  const root = checkoutPath(store.paths, cid)
  const shown = physicalStore(store.paths)
  const siblings = orNothing(() => siblingsOf(store.blocks, cid))
  if (siblings === undefined || !isThere(root)) return
  const todo: { cid: CID; path: string }[] = [{ cid, path: '' }]
  let entries = 0
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (++entries % BREATH_ENTRIES === 0) await nextTurn()
    signal?.throwIfAborted()
    onEntry?.()
    const { path } = next
    const place = root + path
    const sibling = siblings.get(path)
    if (sibling !== undefined) {
      const stored = siblingTarget(path, sibling)
      const link = shownTarget(shown, path, stored)
      const why = whyNoLink(place, [link, stored])
      if (why !== undefined) yield { cid, path, why, right: { link } }
      continue
    }
    const here = next.cid
    const node = orNothing(() => decodeUnixfs(store.blocks, here) ?? 'no UnixFS')
    if (node === undefined) continue
    if (node === 'no UnixFS') {
      if (isThere(place)) yield { cid, path, why: 'is nothing that its DAG has a form for' }
      continue
    }
    const why = orNothing(() => ({ why: whyWrong(store, node, { place, path, shown }) }))?.why
    if (why !== undefined) yield { cid, path, why, right: { cid: here } }
    else if (node.type === 'directory' || node.type === 'hamt') {
      const children = orNothing(() => [...list(store.blocks, node)])
      if (children === undefined) continue
      const names = new Set(children.map(({ name }) => name))
      for (const name of readdirSync(place)) {
        if (!names.has(name)) yield { cid, path: `${path}/${name}`, why: 'is not in its DAG' }
      }
      for (const child of children) todo.push({ cid: child.cid, path: `${path}/${child.name}` })
      const attributes = whyAttributesDiffer(node, lstatSync(place))
      if (attributes !== undefined)
        yield { cid, path, why: attributes, right: { cid: here }, attributesOnly: true }
    }
  }
}

type Look = { place: string; path: string; shown: string }

function whyWrong(store: CheckoutStore, node: UnixfsNode, { place, path, shown }: Look): string | undefined {
  if (node.type === 'file') return whyDifferent(store.blocks, node, place)
  if (node.type === 'symlink') return whyNoLink(place, [shownTarget(shown, path, node.target), node.target])
  const stats = lstatSync(place, { throwIfNoEntry: false })
  if (stats === undefined) return 'is missing'
  return stats.isDirectory() ? undefined : 'is no directory'
}

/** As it is shown, or as it is stored, which leads to the same (links.ts). */
function whyNoLink(place: string, targets: readonly string[]): string | undefined {
  const stats = lstatSync(place, { throwIfNoEntry: false })
  if (stats === undefined) return 'is missing'
  if (!stats.isSymbolicLink()) return 'is no symlink'
  return targets.includes(readlinkSync(place)) ? undefined : 'leads elsewhere'
}

function whyAttributesDiffer(node: UnixfsNode, stats: Stats): string | undefined {
  const { mode, mtime } = statOf(node)
  if ((stats.mode & 0o7777) !== mode) return `has mode 0${(stats.mode & 0o7777).toString(8)}`
  return hasTime(stats, mtime) ? undefined : 'was written to'
}

/** undefined where blocks are missing or damaged. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof PkgError) return undefined
    throw error
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
