// Follows a symlink by hand until it enters the store, with readlink(2) only.
// Never looks below the mount (invariant 8), and tells apart what is gone from
// what cannot be read: only the first may ever be taken for a dead root
// (invariant 5).

import { readlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isErrno } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import { physicalStore } from '../store/shown-target.ts'
import { isOnAny, whyAvoided } from './mount-table.ts'

/** Links that the kernel follows in one path before it says ELOOP (path_resolution(7)). */
const MAX_LINKS = 40

export type Resolution = {
  /** every symlink that was passed, as physical paths, in order */
  via: string[]
} & (
  | { state: 'store'; cid: CID }
  /** it ends at `path`, which is not in the store */
  | { state: 'elsewhere'; path: string }
  /** there is nothing at `path` (ENOENT), and that is all we know */
  | { state: 'gone'; path: string }
  /** `path` cannot be looked at; `errno` says why */
  | { state: 'unreadable'; path: string; errno: string }
)

/** The spellings of the mount point that a link may use: as the prefix is called, and where it physically is. */
export function storeSpellings(paths: Pick<PrefixPaths, 'root' | 'store'>): string[] {
  return [...new Set([paths.store, physicalStore(paths)])]
}

/**
 * Where the absolute path `start` leads. Reads no directory and opens no file, and
 * looks at nothing on the mount points `avoid`: EACCES, or ETIMEDOUT where it did not answer.
 */
export function resolveLink(
  start: string,
  stores: readonly string[],
  avoid: readonly string[] = [],
): Resolution {
  const via: string[] = []
  let done = ''
  let rest = start.split('/')
  while (rest.length > 0) {
    const name = rest.shift()!
    if (name === '' || name === '.') continue
    if (name === '..') {
      done = done === '' ? '' : dirname(done).replace(/^\/$/, '')
      continue
    }
    const path = `${done}/${name}`
    if (stores.includes(path)) return inStore(path, rest, via)
    const step = isOnAny(avoid, path) ? { errno: whyAvoided(path) } : readLink(path)
    if (step.errno === 'EINVAL') done = path
    else if (step.errno === 'ENOENT') return { state: 'gone', path, via }
    else if (step.errno !== undefined) return { state: 'unreadable', path, errno: step.errno, via }
    else {
      via.push(path)
      if (via.length > MAX_LINKS) return { state: 'unreadable', path, errno: 'ELOOP', via }
      if (step.target.startsWith('/')) done = ''
      rest = [...step.target.split('/'), ...rest]
    }
  }
  return { state: 'elsewhere', path: done || '/', via }
}

/**
 * The same for a link in a directory of our own, whose path is known to be
 * physical: one readlink where it points straight into the store.
 */
export function resolveOwnLink(
  directory: string,
  name: string,
  stores: readonly string[],
  avoid: readonly string[] = [],
): Resolution {
  const path = `${directory}/${name}`
  const { target } = readLink(path)
  const end = target === undefined ? '' : resolve(directory, target)
  const store = stores.find((spelling) => end.startsWith(`${spelling}/`))
  if (store === undefined) return resolveLink(path, stores, avoid)
  return inStore(store, end.slice(store.length).split('/'), [path])
}

function inStore(store: string, rest: readonly string[], via: string[]): Resolution {
  const name = rest.find((part) => part !== '' && part !== '.')
  const cid = name === undefined ? undefined : tryParseCid(name)
  // A name that is no CID never was anything in the store.
  return cid ? { state: 'store', cid, via } : { state: 'elsewhere', path: join(store, ...rest), via }
}

function readLink(
  path: string,
): { target: string; errno?: undefined } | { target?: undefined; errno: string } {
  try {
    return { target: readlinkSync(path) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && !isErrno(error, 'ERR_INVALID_ARG_VALUE')) {
      return { errno: String(error.code) }
    }
    throw error
  }
}
