// Unix sockets under any prefix. The kernel takes at most 107 bytes of path
// (unix(7), sun_path), a prefix may be longer; through /proc/self/fd the path of
// the socket's directory does not count.

import { openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** sizeof(sun_path) less the NUL, in bytes. */
const SUN_PATH_MAX = 107

const directories = new Map<string, number>()

/**
 * A path for bind(2) and connect(2) that means `path` in this process. A long
 * one keeps its directory open for as long as the process lives. Throws ENOENT.
 */
export function socketPath(path: string): string {
  if (Buffer.byteLength(path) <= SUN_PATH_MAX) return path
  const directory = dirname(path)
  const fd = directories.get(directory) ?? openSync(directory, 'r')
  directories.set(directory, fd)
  return `/proc/self/fd/${fd}/${basename(path)}`
}
