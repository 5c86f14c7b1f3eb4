// The one error class, and the one table from an error's code to the errno that
// the mount answers and the exit status that `pkg` ends with.
// Catch by code (`hasCode`), never by message; catch only what you expect.

/** Exit statuses of `pkg`, documented in its help and in native-notes/cli.md. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  notFound: 3,
  damaged: 4,
  conflict: 5,
  busy: 6,
  permission: 7,
  unavailable: 8,
  noSpace: 9,
  interrupted: 130,
} as const

/** Linux errno numbers (errno-base.h, errno.h) that we answer. */
const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
} as const

type Row = { exit: number; errno: keyof typeof ERRNO }
const row = (exit: number, errno: keyof typeof ERRNO): Row => ({ exit, errno })

const TABLE = {
  USAGE: row(EXIT.usage, 'EINVAL'),
  BAD_CID: row(EXIT.usage, 'ENOENT'),
  BAD_NAME: row(EXIT.usage, 'EINVAL'),
  BAD_MANIFEST: row(EXIT.usage, 'EINVAL'),
  FAULTY: row(EXIT.usage, 'EINVAL'),
  BAD_REGISTRY: row(EXIT.damaged, 'EIO'),
  BAD_CAR: row(EXIT.damaged, 'EIO'),
  BAD_NODE: row(EXIT.damaged, 'EIO'),
  UNSUPPORTED: row(EXIT.usage, 'EIO'),
  TOO_WIDE: row(EXIT.usage, 'EFBIG'),
  NOT_FOUND: row(EXIT.notFound, 'ENOENT'),
  NO_PACKAGE: row(EXIT.notFound, 'ENOENT'),
  NO_VERSION: row(EXIT.notFound, 'ENOENT'),
  NO_GENERATION: row(EXIT.notFound, 'ENOENT'),
  NO_PROFILE: row(EXIT.notFound, 'ENOENT'),
  MISSING_BLOCK: row(EXIT.damaged, 'EIO'),
  CORRUPT_BLOCK: row(EXIT.damaged, 'EIO'),
  INCOMPLETE: row(EXIT.damaged, 'EIO'),
  COLLISION: row(EXIT.conflict, 'EEXIST'),
  EXISTS: row(EXIT.conflict, 'EEXIST'),
  CHANGED: row(EXIT.conflict, 'EIO'),
  BUSY: row(EXIT.busy, 'EBUSY'),
  LIMIT: row(EXIT.busy, 'EIO'),
  PERMISSION: row(EXIT.permission, 'EACCES'),
  READ_ONLY: row(EXIT.permission, 'EROFS'),
  NO_FUSE: row(EXIT.unavailable, 'EIO'),
  NO_DAEMON: row(EXIT.unavailable, 'EIO'),
  MOUNT_FAILED: row(EXIT.unavailable, 'EIO'),
  NO_SPACE: row(EXIT.noSpace, 'ENOSPC'),
  IO: row(EXIT.damaged, 'EIO'),
  NOT_UNIXFS: row(EXIT.usage, 'EIO'),
  NOT_DIRECTORY: row(EXIT.usage, 'ENOTDIR'),
  IS_DIRECTORY: row(EXIT.usage, 'EISDIR'),
  NOT_FILE: row(EXIT.usage, 'EINVAL'),
  NOT_SYMLINK: row(EXIT.usage, 'EINVAL'),
  INTERRUPTED: row(EXIT.interrupted, 'EINTR'),
  INTERNAL: row(EXIT.internal, 'EIO'),
} as const satisfies Record<string, Row>

export type ErrorCode = keyof typeof TABLE

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(TABLE, text)
}

export type PkgErrorOptions = { hint?: string; cause?: unknown }

/**
 * Everything we refuse or fail at. `message` names the offending path, name or
 * CID; `hint` says what to do about it.
 */
export class PkgError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, { hint, cause }: PkgErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PkgError'
    this.code = code
    this.hint = hint
  }
}

/** True when `error` is a PkgError with one of these codes. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is PkgError {
  return error instanceof PkgError && codes.includes(error.code)
}

/** What file systems answer and libuv has no name for (errno.h): it says "Unknown system error -122". */
const UNNAMED: Readonly<Record<string, string>> = {
  '-74': 'EBADMSG',
  '-116': 'ESTALE',
  '-117': 'EUCLEAN',
  '-121': 'EREMOTEIO',
  '-122': 'EDQUOT',
}

/** True when `error` came from a system call with one of these errno names. */
export function isErrno(error: unknown, ...names: string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error)) return false
  return names.includes(UNNAMED[String((error as NodeJS.ErrnoException).errno)] ?? String(error.code))
}

/** The code for any thrown value: system calls map to the nearest of ours. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof PkgError) return error.code
  if (isErrno(error, 'ENOSPC', 'EDQUOT', 'EFBIG') || isSqlite(error, 'FULL', 'IOERR_SHM')) return 'NO_SPACE'
  // Open files, processes and memory that this process, this user or the machine may have.
  if (isErrno(error, 'EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM')) return 'LIMIT'
  if (isErrno(error, 'EACCES', 'EPERM')) return 'PERMISSION'
  if (isErrno(error, 'EROFS')) return 'READ_ONLY'
  if (isErrno(error, 'ENOENT')) return 'NOT_FOUND'
  if (isErrno(error, 'ENOTDIR')) return 'NOT_DIRECTORY'
  // Something else in the place of a file: a directory, a link that is not followed, a FIFO or a socket.
  if (isErrno(error, 'EISDIR')) return 'IS_DIRECTORY'
  if (isErrno(error, 'ELOOP', 'ENXIO')) return 'NOT_FILE'
  if (isErrno(error, 'EIO', 'EBADMSG', 'ESTALE', 'EUCLEAN', 'EREMOTEIO') || isSqlite(error, 'IOERR'))
    return 'IO'
  if (error instanceof Error && error.name === 'AbortError') return 'INTERRUPTED'
  return 'INTERNAL'
}

/** By the text of the code: SQLite's own class is not loaded here. */
function isSqlite(error: unknown, ...codes: string[]): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return codes.some((one) => code.startsWith(`SQLITE_${one}`))
}

/** The exit status of `pkg` for a thrown value. */
export function exitStatusOf(error: unknown): number {
  return TABLE[codeOf(error)].exit
}

/** The negative errno that FUSE answers for a thrown value; EIO when nothing fits better. */
export function errnoOf(error: unknown): number {
  const code = codeOf(error)
  return -ERRNO[code === 'INTERNAL' ? 'EIO' : TABLE[code].errno]
}
