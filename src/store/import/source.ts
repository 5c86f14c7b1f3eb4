// Looking at what is to be imported: kinds, names, link targets, and errors that
// name the path. Symlinks are never followed, also not where somebody who owns the
// tree puts one in the place of a directory meanwhile: a path is physical, and what
// was opened by it has to lie there, or nothing is read of it (invariant 7).

import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { hasCode, isErrno, PkgError } from '../../errors.ts'

export type SourceKind = 'file' | 'directory' | 'symlink'

/** Without O_NONBLOCK opening a FIFO that took a file's place would wait for a writer. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

const OPEN_DIRECTORY = OPEN_FLAGS | constants.O_DIRECTORY

/** O_PATH (open(2)), which Node does not name: looking through a directory takes no right to list it. */
const LOOK_THROUGH = 0o10000000 | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** What is at `path`. Throws UNSUPPORTED for sockets, FIFOs and devices, else as `sourceError`. */
export function statSource(path: string): { kind: SourceKind; stat: Stats } {
  const stat = naming(path, () => lstatSync(path))
  if (stat.isFile()) return { kind: 'file', stat }
  if (stat.isDirectory()) return { kind: 'directory', stat }
  if (stat.isSymbolicLink()) return { kind: 'symlink', stat }
  throw new PkgError('UNSUPPORTED', `${path} is ${kindOfOther(stat)}, which a store cannot hold`, {
    hint: 'Remove it, or leave it out.',
  })
}

function kindOfOther(stat: Stats): string {
  if (stat.isFIFO()) return 'a FIFO'
  return stat.isSocket() ? 'a socket' : 'a device'
}

/** The same for what the user named: it may never have been there. Throws NOT_FOUND too. */
export function statRoot(path: string): { kind: SourceKind; stat: Stats } {
  try {
    const source = statSource(path)
    if (source.kind === 'symlink') refuseOpenFile(path)
    return source
  } catch (error) {
    if (hasCode(error, 'UNSUPPORTED')) {
      throw new PkgError('UNSUPPORTED', error.message, { hint: 'Write it to a file first, and add that.' })
    }
    if (!hasCode(error, 'CHANGED')) throw error
    throw new PkgError('NOT_FOUND', `${path} does not exist`, { cause: error.cause })
  }
}

/**
 * Throws UNSUPPORTED for a link that the user named and that stands for what a process has open
 * (`/dev/stdin`, `<(command)`), or leads to no file: whoever names it means the bytes, which the
 * link itself does not have.
 */
function refuseOpenFile(path: string): void {
  const leads = statSync(path, { throwIfNoEntry: false })
  if (leads === undefined) return
  if (!leads.isFile() && !leads.isDirectory()) {
    throw new PkgError('UNSUPPORTED', `${path} leads to ${kindOfOther(leads)}, which a store cannot hold`)
  }
  const place = resolve(realpathSync(dirname(resolve(path))), readlinkSync(path))
  if (![place, physicalPath(path)].some((one) => /^\/(?:proc|dev\/fd)\//.test(one))) return
  throw new PkgError('UNSUPPORTED', `${path} is what a process has open: ${realpathSync(path)}`)
}

/** The path of what the user named, as the kernel has it: through links that lead there, and not through one there. */
export function physicalPath(path: string): string {
  try {
    const fd = openSync(path, OPEN_FLAGS)
    try {
      return pathOf(fd)
    } finally {
      closeSync(fd)
    }
  } catch {
    // A symlink, or what may not be read: whoever reads it will say so.
    const absolute = resolve(path)
    return join(realpathSync(dirname(absolute)), basename(absolute))
  }
}

/** The names in a directory. Throws BAD_NAME for one that is not UTF-8: UnixFS has no way to hold it. */
export function readNames(path: string): string[] {
  return within(path, (directory) => {
    const names = readdirSync(directory)
    // Node replaces what is not UTF-8 by U+FFFD, which a name may also truly hold.
    if (names.some((name) => name.includes('\uFFFD'))) refuseInvalidNames(directory, path)
    return names
  })
}

function refuseInvalidNames(directory: string, path: string): void {
  for (const bytes of readdirSync(directory, { encoding: 'buffer' })) {
    refuseInvalid(bytes, `${path} has an entry whose name`)
  }
}

/** Where a symlink points to, unresolved. Throws BAD_NAME for a target that is not UTF-8. */
export function readTarget(path: string): string {
  const read = (directory: string) => readlinkSync(join(directory, basename(path)), { encoding: 'buffer' })
  const target = within(dirname(path), (directory) => naming(path, () => read(directory)), LOOK_THROUGH)
  refuseInvalid(target, `${path} is a symlink whose target`)
  const text = target.toString()
  if (isMagicLink(path, text)) {
    throw new PkgError('UNSUPPORTED', `${path} is ${text} of a process, which a store cannot hold`, {
      hint: 'Remove it, or leave it out.',
    })
  }
  return text
}

/** True for a link of procfs that leads where its text does not: `pipe:[n]`, `socket:[n]`, `anon_inode:…`. */
function isMagicLink(path: string, text: string): boolean {
  if (!/^[a-z_]+:/.test(text)) return false
  try {
    statSync(path)
  } catch {
    return false
  }
  return !existsSync(join(dirname(path), text))
}

/** Gives `read` a path to the directory at `path` that goes by its descriptor. */
function within<T>(path: string, read: (directory: string) => T, flags = OPEN_DIRECTORY): T {
  return naming(path, () => {
    const fd = openSync(path, flags)
    try {
      requireAt(fd, path)
      return read(`/proc/self/fd/${fd}`)
    } finally {
      closeSync(fd)
    }
  })
}

const pathOf = (fd: number) => readlinkSync(`/proc/self/fd/${fd}`)

/** Throws CHANGED when what is open lies elsewhere: it was reached through a link. */
function requireAt(fd: number, path: string): void {
  if (pathOf(fd) !== path) throw changedError(path)
}

function refuseInvalid(bytes: Buffer, what: string): void {
  const text = bytes.toString()
  if (Buffer.from(text).equals(bytes)) return
  throw new PkgError('BAD_NAME', `${what} is not valid UTF-8: ${JSON.stringify(bytes.toString('latin1'))}`, {
    hint: 'Rename it; a name in a store is text.',
  })
}

/** Opens a file for reading, never through a symlink anywhere in its (physical) path. */
export function openSource(path: string): number {
  return naming(path, () => {
    const fd = openSync(path, OPEN_FLAGS)
    try {
      requireAt(fd, path)
      return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
  })
}

/** Two equal signatures of a file: nobody wrote, replaced or chmodded it between them. */
export function signatureOf({ dev, ino, mode, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, mode, size, mtimeMs, ctimeMs].join(':')
}

/** Runs a system call and names the path in its error. */
export function naming<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw sourceError(path, error)
  }
}

export function changedError(path: string, cause?: unknown): PkgError {
  return new PkgError('CHANGED', `${path} changed while it was being added`, {
    hint: 'Add it again when nothing writes to it.',
    cause,
  })
}

/** PERMISSION, CHANGED (it vanished, or became something else), or IO. */
function sourceError(path: string, cause: unknown): unknown {
  if (isErrno(cause, 'EACCES', 'EPERM')) {
    return new PkgError('PERMISSION', `${path} cannot be read`, { hint: 'Nothing was added.', cause })
  }
  if (isErrno(cause, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO', 'EINVAL'))
    return changedError(path, cause)
  if (isErrno(cause, 'ENAMETOOLONG')) {
    return new PkgError('BAD_NAME', `${path.slice(0, 200)}… is too long a path`, { cause })
  }
  if (cause instanceof PkgError) return cause
  if (cause instanceof Error && 'code' in cause)
    return new PkgError('IO', `${path} cannot be read`, { cause })
  return cause
}
