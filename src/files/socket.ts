// Unix sockets under any prefix. The kernel takes at most 107 bytes of path
// (unix(7), sun_path), a prefix may be longer; through /proc/self/fd the path of
// the socket's directory does not count.

import { openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { isErrno } from '../errors.ts'

/** sizeof(sun_path) less the NUL, in bytes. */
const SUN_PATH_MAX = 107

/** connect(2): the file of a dead process, none, or none that is a socket. */
const NOBODY = ['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'ENOTSOCK']

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

/** True unless surely nobody listens at this socket: one that is stopped, or closed to this user, does. */
export async function isListening(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    let socket: Socket
    try {
      socket = connect(socketPath(path))
    } catch (error) {
      return resolve(!isErrno(error, ...NOBODY))
    }
    socket.once('error', (error) => resolve(!isErrno(error, ...NOBODY)))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
