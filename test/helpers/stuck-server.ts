// A FUSE file system that never answers a read: stuck-server.ts <mountpoint> [target]. One file, `file`, of a MiB, and links of every other name to the target. While a
// file `<mountpoint>.hangs` is there, nothing else is answered either.

import { existsSync } from 'node:fs'
import { mountFuse } from '../../src/mount/fuse.ts'

const SIZE = 1024 * 1024
const never = new Promise<never>(() => {})
const point = process.argv[2] as string
const answer = <T>(value: T) => (existsSync(`${point}.hangs`) ? never : value)

const inode = (mode: number, size = 0) => ({ mode, size, seconds: 0, nanoseconds: 0 })

await mountFuse(point, ['fsname=stuck', 'attr_timeout=0', 'entry_timeout=0'], {
  getattr: (path) =>
    answer(path === '/' ? inode(0o040755) : path === '/file' ? inode(0o100444, SIZE) : inode(0o120777, 10)),
  readdir: () => answer([{ name: 'file', mode: 0o100444 }]),
  readlink: () => answer(process.argv[3] ?? ''),
  read: () => never,
  getxattr: () => -61,
  listxattr: () => [],
  statfs: () => answer({ blockSize: 4096, blocks: 0, free: 0, available: 0, files: 1 }),
  open: () => 0,
})
process.stdout.write('mounted\n')
