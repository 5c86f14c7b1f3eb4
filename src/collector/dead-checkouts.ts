// Which checkouts no root reaches, and what they take: looks only.

import { lstatSync, realpathSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { namesIn } from '../files/directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { readMounts } from '../pins/mount-table.ts'
import { checkoutPath, cidOfCheckout, poolDirectory } from '../store/checkout/names.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { allocated } from './amount.ts'
import type { FileSize } from './dead-blocks.ts'
import type { Marker } from './mark.ts'

export type CheckoutFigures = {
  /** trees that went, or in a dry run would */
  checkouts: number
  /** bytes of their files, as far as no other tree has them */
  checkoutBytes: number
  /** what the file system gets back for those files, and for the directories */
  checkoutDiskBytes: number
}

export const NO_CHECKOUTS: CheckoutFigures = { checkouts: 0, checkoutBytes: 0, checkoutDiskBytes: 0 }

/** What a collection would take away if nothing is claimed until then. */
export function planCheckouts(
  { paths }: Pick<Store, 'paths'>,
  marker: Pick<Marker, 'alive'>,
): CheckoutFigures {
  const dead = isCovered(paths) ? [] : deadCheckouts(paths, marker)
  const trees = dead.map((cid) => checkoutPath(paths, cid))
  const { bytes, diskBytes } = sizeOfTrees(paths, trees)
  return { checkouts: dead.length, checkoutBytes: bytes, checkoutDiskBytes: diskBytes }
}

/** The checkouts whose root no root reaches. */
export function deadCheckouts(paths: Pick<PrefixPaths, 'store'>, { alive }: Pick<Marker, 'alive'>): CID[] {
  return namesIn(paths.store).flatMap((name) => {
    const cid = cidOfCheckout(name)
    return cid && !alive.has(cid.multihash.bytes) ? [cid] : []
  })
}

/** Each inode counts once, and only when all its links are in these trees and the pool. */
export function sizeOfTrees(paths: Pick<PrefixPaths, 'store'>, trees: readonly string[]): FileSize {
  const size = { bytes: 0, diskBytes: 0 }
  if (trees.length === 0) return size
  const inodes = new Map<number, { stats: Stats; links: number }>()
  const pool = poolDirectory(paths)
  const count = (path: string): void => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats?.isDirectory()) for (const name of namesIn(path)) count(join(path, name))
    if (stats && !stats.isFile()) size.diskBytes += allocated(stats)
    if (!stats?.isFile()) return
    const known = inodes.get(stats.ino)
    if (known) known.links += 1
    else inodes.set(stats.ino, { stats, links: 1 })
  }
  for (const tree of trees) count(tree)
  for (const name of namesIn(pool)) {
    const known = inodes.get(lstatSync(join(pool, name), { throwIfNoEntry: false })?.ino ?? -1)
    if (known) known.links += 1
  }
  for (const { stats, links } of inodes.values()) {
    if (links < stats.nlink) continue
    size.bytes += stats.size
    size.diskBytes += allocated(stats)
  }
  return size
}

/** A mount of ours, served or stale: whatever else is mounted there holds the trees. */
export function isCovered({ root }: Pick<PrefixPaths, 'root'>): boolean {
  const store = join(realpathSync(root), 'store')
  return readMounts().some(({ point, type }) => point === store && /^fuse(\.|$)/.test(type))
}
