// The first file of `pkg`. It turns V8's compile cache on before the command
// line is loaded, so that only the first start after an upgrade compiles.

import { statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const directory = cacheDirectory(process.env)
if (directory) enableCompileCache(directory)

await import('./main.ts')

/**
 * Where compiled code may be kept; undefined: nowhere. V8 trusts what it finds
 * there, so it is below a directory of this user's own: neither in /tmp nor,
 * under `sudo`, in the home of somebody else.
 */
function cacheDirectory({ HOME, XDG_CACHE_HOME }: NodeJS.ProcessEnv): string | undefined {
  const base = XDG_CACHE_HOME || HOME
  if (!base || ownerOf(base) !== process.getuid?.()) return undefined
  return XDG_CACHE_HOME ? join(base, 'pkg', 'compiled') : join(base, '.cache', 'pkg', 'compiled')
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid
  } catch {
    // A home that is missing or closed to us is no reason not to start.
    return undefined
  }
}
