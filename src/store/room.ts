// Room on a full file system for what is the way out of one: collecting, and going without something. Both take
// locks, links and a few small files, so what was laid by for that (spare.ts) is given up first.
//
// Nothing is lost by it: what is given up holds nothing, or can be rebuilt.

import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../errors.ts'
import { writeAll } from '../files/atomic.ts'
import type { PrefixPaths } from '../paths.ts'
import { COLLECTION_FILES, keepSpare, removeIfPermitted, useSpare } from './spare.ts'

export type Room = { inodes: number; bytes: number }

/** A lock, a temp pin, the blocks of an environment or a registry that change, a generation's link, a line of its journal. */
const REMOVAL: Room = { inodes: 20, bytes: 128 * 1024 }

type RoomPaths = Pick<PrefixPaths, 'var' | 'collector' | 'index' | 'search'>

/**
 * Runs `fn`, which removes something. Where there is too little room for that, the spare files are given up first, but
 * those of a collection, and where that is not enough the search index and the link index. What is left of the room is
 * laid by again afterwards. What this user may not give up stays. Throws what `fn` throws. Not to be nested.
 */
export async function withRoomToRemove<T>(paths: RoomPaths, fn: () => T | Promise<T>): Promise<T> {
  makeRoomToRemove(paths)
  try {
    return await fn()
  } finally {
    keepSpare(paths)
  }
}

function makeRoomToRemove(paths: RoomPaths): void {
  if (hasRoom(paths, REMOVAL)) return
  useSpare(paths, { but: COLLECTION_FILES })
  for (const database of [paths.search, paths.index]) {
    if (hasRoom(paths, REMOVAL)) return
    removeDatabase(database)
  }
}

/** The files of one that can be rebuilt; who has it open goes on with it, and notices. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) removeIfPermitted(file + suffix)
}

/** Tries it, under a name that is swept up as a lock's leftover after a kill (files/lock-directory.ts). */
export function hasRoom({ collector }: Pick<PrefixPaths, 'collector'>, { inodes, bytes }: Room): boolean {
  const directory = `${collector}.lock.tmp-${randomBytes(6).toString('hex')}`
  const held: number[] = []
  try {
    mkdirSync(directory)
    for (let count = 1; count < inodes; count++) {
      const file = join(directory, 'room')
      const fd = openSync(file, 'wx')
      held.push(fd)
      // Open it keeps its inode, and nothing is left behind.
      unlinkSync(file)
      if (count === 1) writeAll(fd, randomBytes(bytes))
    }
    return true
  } catch (error) {
    // Where this user may not write at all, what is about to be done will say so.
    return !isErrno(error, 'ENOSPC', 'EDQUOT')
  } finally {
    for (const fd of held) closeSync(fd)
    rmSync(directory, { recursive: true, force: true })
  }
}
