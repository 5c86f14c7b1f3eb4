// Work inside a directory that belongs to somebody else, with no more than that
// user's own rights: by a descriptor, so that nobody can put another directory in
// its place meanwhile, and only where the directory is that user's. What its owner
// could delete or write there anyway is all that is deleted or written.

import { closeSync, constants, fstatSync, opendirSync, openSync } from 'node:fs'
import { isErrno } from '../errors.ts'

const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Entries that the kernel gives at once. */
const BUFFERED = 1024

/** Opens it if it is a directory (no link to one) and belongs to `uid`; undefined otherwise. Throws EIO and the like. */
export function openOwned(directory: string, uid: number): number | undefined {
  let fd: number
  try {
    fd = openSync(directory, FLAGS)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined
    throw error
  }
  if (fstatSync(fd).uid === uid) return fd
  closeSync(fd)
  return undefined
}

/** A path to what an open directory holds, however it is called by now. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`
}

/** Runs `fn` with a path to the directory that goes by its descriptor; undefined where `openOwned` gives none. */
export function withOwned<T>(directory: string, uid: number, fn: (path: string) => T): T | undefined {
  const fd = openOwned(directory, uid)
  if (fd === undefined) return undefined
  try {
    return fn(descriptorPath(fd))
  } finally {
    closeSync(fd)
  }
}

/** The same for what takes its time. */
export async function withOwnedAsync<T>(
  directory: string,
  uid: number,
  fn: (path: string) => Promise<T>,
): Promise<T | undefined> {
  const fd = openOwned(directory, uid)
  if (fd === undefined) return undefined
  try {
    return await fn(descriptorPath(fd))
  } finally {
    closeSync(fd)
  }
}

/** A name in a directory, and what is there. */
export type Entry = { name: string; isDirectory(): boolean; isSymbolicLink(): boolean }

/** The first `limit` entries of a directory, and whether there are more: a listing of millions takes all memory. */
export function firstEntries(directory: string, limit: number): { entries: Entry[]; more: boolean } {
  const opened = opendirSync(directory, { bufferSize: BUFFERED })
  const entries: Entry[] = []
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      if (entries.length >= limit) return { entries, more: true }
      entries.push(entry)
    }
    return { entries, more: false }
  } finally {
    opened.closeSync()
  }
}
