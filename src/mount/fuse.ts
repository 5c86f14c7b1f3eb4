// The only module that loads fuse-native: a small file system interface over the
// binding that the package ships, on the main thread of its own process.
// Every request is answered, an exception as EIO: a request without an answer
// blocks its caller for ever. What the binding is like: native-notes/fuse-native.md.

import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { errnoOf, PkgError } from '../errors.ts'
import { type Attributes, hasExactTimes, type Signal as StatSignal, statReplier } from './fuse-stat.ts'
import type { Later } from './later.ts'
import { bindingFile, libraryFile } from './native-files.ts'

/** Negative errno numbers (errno.h) that have no code of ours. */
export const ENOSYS = -38
export const ENODATA = -61
export const EOPNOTSUPP = -95
const ERANGE = -34

/** What we implement; libfuse answers ENOSYS to the rest, and nothing asks for it on a read-only mount. */
const OPERATIONS = [
  'init',
  'statfs',
  'getattr',
  'readdir',
  'readlink',
  'getxattr',
  'listxattr',
  'open',
  'read',
] as const
type Operation = (typeof OPERATIONS)[number]

/** Length of the binding's tables of operations (fuse-native.c). */
const SLOTS = 35

/** A mode of 0 says that the entry's type is not known without looking. */
export type ListedName = { name: string; mode: number }
export type Space = { blockSize: number; blocks: number; free: number; available: number }

/** What the mounted file system does; `errnoOf` says what the caller sees of an error. Paths begin with a slash and hold no '.', '..' or empty parts. */
export interface FileSystem {
  getattr(path: string): Later<Attributes>
  /** Names without '.' and '..'. */
  readdir(path: string): Later<Iterable<ListedName>>
  readlink(path: string): Later<string>
  /** Fills `into` from `offset` of the file; gives the number of bytes, less only at the file's end. */
  read(path: string, into: Uint8Array, offset: number): Later<number>
  /** A negative number is an errno. */
  getxattr(path: string, name: string): Later<Uint8Array | number>
  listxattr(path: string): Later<string[]>
  statfs(): Later<Space>
  /** A negative errno: ENOSYS tells the kernel never to ask again and to keep what it has cached. */
  open(path: string): number
}

type Signal = (record: Buffer, result: number, ...rest: unknown[]) => void
type Binding = Record<`fuse_native_signal_${Operation}`, Signal> & {
  [name in `op_${Operation}`]: number
} & {
  sizeof_fuse_thread_t: number
  fuse_native_mount(...args: unknown[]): void
}
type Handler = (record: Buffer, operation: number, ...args: never[]) => void

export type FuseMount = {
  /** libfuse's threads since the start: their records are never given back */
  readonly threads: number
  /** false when stored times are shown cut to milliseconds from 1970 on */
  readonly exactTimes: boolean
}

/**
 * Mounts at `mountpoint` (an existing directory); resolves once the kernel has
 * greeted the file system. `options` are libfuse's, as after `mount -o`.
 * Throws MOUNT_FAILED when mount(2) or fusermount refuses, NO_FUSE when the
 * binding cannot be loaded.
 */
export function mountFuse(
  mountpoint: string,
  options: readonly string[],
  fs: FileSystem,
): Promise<FuseMount> {
  const { binding, file } = loadBinding()
  const records: Buffer[] = []
  const exactTimes = hasExactTimes(file)
  const mount = {
    exactTimes,
    get threads() {
      return records.length
    },
  }
  return new Promise((resolve, reject) => {
    const handlers: Handler[] = new Array(SLOTS).fill(() => {})
    const implemented = new Uint32Array(SLOTS)
    const named = makeHandlers(binding, fs, exactTimes, () => resolve(mount))
    for (const name of OPERATIONS) {
      handlers[binding[`op_${name}`]] = named[name]
      implemented[binding[`op_${name}`]] = 1
    }
    const state = Buffer.alloc(binding.sizeof_fuse_thread_t)
    const allocate = (size: number): Buffer => {
      const record = Buffer.alloc(size)
      records.push(record)
      return record
    }
    // libfuse's threads use this memory until the process ends.
    keepAlive.push(state, records, handlers)
    try {
      binding.fuse_native_mount(
        mountpoint,
        `-o${options.join(',')}`,
        state,
        mount,
        allocate,
        handlers,
        implemented,
      )
    } catch (cause) {
      reject(new PkgError('MOUNT_FAILED', `${mountpoint} cannot be mounted`, { hint: HINT, cause }))
    }
  })
}

/** Loads the binding now, so that it is sure to work when it is needed. Throws NO_FUSE. */
export function prepareFuse(): void {
  loadBinding()
}

const HINT = '`pkg doctor` says what mounting needs on this machine.'
const keepAlive: unknown[] = []

function loadBinding(): { binding: Binding; file: string } {
  const file = bindingFile()
  if (file === undefined) {
    throw new PkgError('NO_FUSE', `fuse-native has no binary for ${process.platform}-${process.arch}`, {
      hint: HINT,
    })
  }
  loadLibrary()
  try {
    return { binding: createRequire(import.meta.url)(file) as Binding, file }
  } catch (cause) {
    throw new PkgError('NO_FUSE', `fuse-native cannot be loaded: ${(cause as Error).message}`, {
      hint: HINT,
      cause,
    })
  }
}

/** dlopen(3), bits/dlfcn.h: a library stays when its last handle is closed. */
const RTLD_NODELETE = 0x1000

/**
 * Has the shipped libfuse in the process before the binding, which asks for it by its soname:
 * the loader takes what is loaded already. LD_LIBRARY_PATH would be a list, in which a path with
 * a colon, a semicolon or `$LIB` is another one.
 */
function loadLibrary(): void {
  const library = libraryFile()
  if (library === undefined) return
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE)
  } catch {
    // It is no module of Node's, which is said of one that was loaded as well: the binding's own loading tells.
  }
}

function makeHandlers(
  binding: Binding,
  fs: FileSystem,
  exactTimes: boolean,
  onReady: () => void,
): Record<Operation, Handler> {
  const signals = Object.fromEntries(
    OPERATIONS.map((name) => [name, binding[`fuse_native_signal_${name}`]]),
  ) as Record<Operation, Signal>
  const replyStat = statReplier(signals.getattr as StatSignal, exactTimes)
  const noStat = new Uint32Array(18)
  const noSpace = new Uint32Array(11)
  return {
    init(record) {
      signals.init(record, 0)
      onReady()
    },
    getattr(record, _operation, path: string) {
      settle(
        () => fs.getattr(path),
        (attributes) => replyStat(record, attributes),
        (errno) => signals.getattr(record, errno, noStat),
      )
    },
    readdir(record, _operation, path: string) {
      settle(
        () => fs.readdir(path),
        (entries) => signals.readdir(record, 0, ...namesAndStats(entries)),
        (errno) => signals.readdir(record, errno, [], []),
      )
    },
    readlink(record, _operation, path: string) {
      settle(
        () => fs.readlink(path),
        (target) => signals.readlink(record, 0, target),
        (errno) => signals.readlink(record, errno, ''),
      )
    },
    open(record, _operation, path: string) {
      signals.open(record, fs.open(path), 0)
    },
    read(record, _op, path: string, _fd: number, into: Buffer, _length: number, low: number, high: number) {
      const reply = (result: number) => signals.read(record, result, 0, into.buffer)
      settle(() => fs.read(path, into, low + high * 2 ** 32), reply, reply)
    },
    getxattr(record, _operation, path: string, name: string, into: Buffer) {
      const reply = (result: number) => signals.getxattr(record, result, into.buffer)
      settle(
        () => fs.getxattr(path, name),
        (value) => reply(typeof value === 'number' ? value : copyOut(value, into)),
        reply,
      )
    },
    listxattr(record, _operation, path: string, into: Buffer) {
      const reply = (result: number) => signals.listxattr(record, result, into.buffer)
      settle(
        () => fs.listxattr(path),
        (names) => reply(copyOut(Buffer.from(names.map((name) => `${name}\0`).join('')), into)),
        reply,
      )
    },
    statfs(record) {
      settle(
        () => fs.statfs(),
        (space) => signals.statfs(record, 0, statfsWords(space)),
        (errno) => signals.statfs(record, errno, noSpace),
      )
    },
  } as Record<Operation, Handler>
}

/** Answers now when the value is here: most requests of a warm server need no promise. */
function settle<T>(compute: () => Later<T>, reply: (value: T) => void, fail: (errno: number) => void): void {
  let value: Later<T>
  try {
    value = compute()
  } catch (error) {
    fail(errnoOf(error))
    return
  }
  if (value instanceof Promise) value.then(reply, (error) => fail(errnoOf(error)))
  else reply(value)
}

/** xattr(7): an empty buffer asks for the length; one that is too small is ERANGE. */
function copyOut(value: Uint8Array, into: Buffer): number {
  if (into.length === 0) return value.length
  if (into.length < value.length) return ERANGE
  into.set(value)
  return value.length
}

/** One native stat for each type; equal lengths make the binding pass types on. */
function namesAndStats(entries: Iterable<ListedName>): [string[], Uint32Array[]] {
  const directory = typeStat(0o040555)
  const byMode = new Map<number, Uint32Array>()
  const names = ['.', '..']
  const stats = [directory, directory]
  for (const { name, mode } of entries) {
    let stat = byMode.get(mode)
    if (stat === undefined) {
      stat = typeStat(mode)
      byMode.set(mode, stat)
    }
    names.push(name)
    stats.push(stat)
  }
  return [names, stats]
}

function typeStat(mode: number): Uint32Array {
  const words = new Uint32Array(18)
  words[0] = mode
  return words
}

/** No counts of inodes: nothing can be made here, and `all of them are used` would be an alarm. */
function statfsWords({ blockSize, blocks, free, available }: Space): Uint32Array {
  const NAME_MAX = 255
  return Uint32Array.of(blockSize, blockSize, blocks, free, available, 0, 0, 0, 0, 0, NAME_MAX)
}
