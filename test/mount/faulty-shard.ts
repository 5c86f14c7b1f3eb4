// A file system with a disk fault, for tests: shows the files of a directory, and
// answers EIO to every read while the file `fault` exists. argv: mount point, the
// directory, `fault`. To be started as a mount server is, for libfuse is found so.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PkgError } from '../../src/errors.ts'
import { ENOSYS, type FileSystem, mountFuse } from '../../src/mount/fuse.ts'

const [mountpoint, directory, fault] = process.argv.slice(2) as [string, string, string]
const time = { seconds: 0, nanoseconds: 0 }

const fs: FileSystem = {
  getattr(path) {
    const stats = statSync(join(directory, path), { throwIfNoEntry: false })
    if (!stats) throw new PkgError('NOT_FOUND', path)
    return { mode: stats.mode, size: stats.size, ...time }
  },
  readdir: () => readdirSync(directory).map((name) => ({ name, mode: 0 })),
  read(path, into, offset) {
    if (existsSync(fault)) throw new PkgError('IO', `the disk fails at ${path}`)
    return readFileSync(join(directory, path)).copy(into, 0, offset)
  },
  readlink: () => '',
  getxattr: () => -61,
  listxattr: () => [],
  statfs: () => ({ blockSize: 4096, blocks: 1, free: 0, available: 0 }),
  open: () => ENOSYS,
}

// `direct_io`: what was read once is asked for again, as from a disk.
await mountFuse(mountpoint, ['ro', 'nonempty', 'direct_io', 'fsname=fault', 'subtype=test'], fs)
console.log('mounted')
