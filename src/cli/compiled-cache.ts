// Where V8 keeps what it compiled of the command line: in the user's cache directory.

import { isAbsolute } from 'node:path'

/** An existing directory, and the names below it; undefined: nowhere. */
export function compiledCache({
  HOME,
  XDG_CACHE_HOME,
}: NodeJS.ProcessEnv): { base: string; names: string[] } | undefined {
  const base = XDG_CACHE_HOME || HOME
  if (!base || !isAbsolute(base)) return undefined
  return { base, names: XDG_CACHE_HOME ? ['pkg', 'compiled'] : ['.cache', 'pkg', 'compiled'] }
}
