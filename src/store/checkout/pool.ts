// One inode a file, shared by all checkouts. A file's mode and time are part of its
// CID, so the CID alone names it.
//
// Block files themselves are not linked into trees: who writes through a tree as
// root would write into the block, and what heals a tree would be gone. So a file
// is there twice, as blocks and as a file, unless the file system can share their
// extents (reflinks, as on btrfs and xfs).
//
// Nothing is linked into a tree unverified: a file of the pool is compared with its
// blocks first. And nothing is in the pool that is not on stable storage: what a
// power cut leaves of it must not pass for whole.

import { closeSync, constants, copyFileSync, linkSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../errors.ts'
import { removeIfThere } from '../../files/directory.ts'
import { ensurePrefixEntry } from '../../files/modes.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { Blocks } from '../blocks/blocks.ts'
import { RAW } from '../cid.ts'
import { sealFile } from '../unixfs/copy.ts'
import type { FileNode } from '../unixfs/node.ts'
import { checkoutName, poolDirectory } from './names.ts'
import { whyDifferent } from './same-file.ts'

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants

/** What link(2) says where a link cannot be: another owner's file, too many links (65,000 on ext4), no such file system. */
const NO_LINK = ['EMLINK', 'EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'ENOENT', 'ENOSPC', 'EDQUOT']

type PoolStore = { paths: Pick<PrefixPaths, 'store'>; blocks: Blocks }

export class FilePool {
  readonly #directory: string
  readonly #blocks: Blocks
  /** what this run copied, by name: not flushed yet, so of use to itself only */
  readonly #fresh = new Map<string, string>()
  #reflinks = true

  constructor({ paths, blocks }: PoolStore) {
    this.#directory = poolDirectory(paths)
    this.#blocks = blocks
    ensurePrefixEntry(this.#directory)
  }

  /** Makes the sealed file at `place` without copying bytes; false when that cannot be. Throws what reading blocks throws. */
  reuse(node: FileNode, place: string): boolean {
    const name = checkoutName(node.cid)
    const fresh = this.#fresh.get(name)
    if (fresh !== undefined) return tryLink(fresh, place)
    const pooled = join(this.#directory, name)
    const why = whyDifferent(this.#blocks, node, pooled)
    if (why === undefined && tryLink(pooled, place)) return true
    // Damaged, or with as many links as a file may have: a new one takes its place.
    if (why !== 'is missing') removeIfThere(pooled)
    return this.#reflink(node, place)
  }

  /** Remembers a file that was copied, or copied again where the first one has all its links. */
  copied(node: FileNode, place: string): void {
    this.#fresh.set(checkoutName(node.cid), place)
  }

  /** Shares what was copied with later checkouts. It has to be on stable storage by now, still at its place. */
  publish(): void {
    for (const [name, place] of this.#fresh) tryLink(place, join(this.#directory, name), 'EEXIST')
    this.#fresh.clear()
  }

  /** Only for a file that is one block with nothing around its bytes. */
  #reflink(node: FileNode, place: string): boolean {
    if (!this.#reflinks || node.cid.code !== RAW || node.size === 0) return false
    try {
      copyFileSync(this.#blocks.file(node.cid), place, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE)
    } catch (error) {
      if (!(error instanceof Error) || !('errno' in error)) throw error
      // ENOTSUP, ENOSYS, EINVAL and others: this file system has none, or the block has no file (identity).
      this.#reflinks = isErrno(error, 'ENOENT')
      removeIfThere(place)
      return false
    }
    const fd = openSync(place, 'r')
    try {
      sealFile(fd, node)
    } finally {
      closeSync(fd)
    }
    // The block's file may have changed since it was read.
    if (whyDifferent(this.#blocks, node, place) !== undefined) {
      removeIfThere(place)
      return false
    }
    this.copied(node, place)
    return true
  }
}

function tryLink(from: string, to: string, ...tolerated: string[]): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (isErrno(error, ...NO_LINK, ...tolerated)) return false
    throw error
  }
}
