// The first file of `pkg`. It turns V8's compile cache on before the command
// line is loaded, so that only the first start after an upgrade compiles.

import { mkdirSync, statfsSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { compiledCache } from './compiled-cache.ts'

/** File systems of other machines, or of a process (statfs(2)): slower than compiling, and they may hang. NFS, SMB, CIFS, SMB2, AFS, Ceph, FUSE. */
const REMOTE = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x00c36400, 0x65735546])

const directory = cacheDirectory(process.env)
if (directory) enableCompileCache(directory)

await import('./main.ts')

/**
 * Where compiled code may be kept, made; undefined: nowhere. V8 trusts what it finds
 * there, so it is below a directory of this user's own: neither in /tmp nor,
 * under `sudo`, in the home of somebody else.
 */
function cacheDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const place = compiledCache(env)
  if (place === undefined) return undefined
  const { base, names } = place
  try {
    if (statSync(base).uid !== process.getuid?.() || REMOTE.has(statfsSync(base).type)) return undefined
    return makeBelow(base, names)
  } catch {
    // A home that is missing, closed to us or no place for files is no reason not to start.
    return undefined
  }
}

/** Step by step: Node's own recursive mkdir, and with it `enableCompileCache`, never ends where mkdir(2) says ENOENT, as in /proc. */
function makeBelow(base: string, names: readonly string[]): string {
  let path = base
  for (const name of names) {
    path = join(path, name)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) continue
    try {
      mkdirSync(path)
    } catch (error) {
      // Another one that starts at this moment.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  return path
}
