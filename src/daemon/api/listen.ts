// Listening on a Unix socket with its owner and mode right from the start: there
// is no moment in which anybody else could connect.

import { lchownSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { socketPath } from '../../files/socket.ts'

/** `mode`: whoever may write the socket may connect (unix(7)). */
export type SocketRights = { mode: number; uid?: number; gid?: number }

/** Listens at `path`, in place of a socket that a dead daemon left. The directory has to be ours alone to write. */
export async function listenAt(
  server: Server,
  path: string,
  { mode, uid, gid }: SocketRights,
): Promise<void> {
  rmSync(path, { force: true })
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', resolve)
  })
  // bind(2) makes the file before listen() returns; nothing else runs in between.
  const umask = process.umask(0o777 & ~mode)
  try {
    server.listen(socketPath(path))
  } finally {
    process.umask(umask)
  }
  // Where bind(2) failed there is nothing to chown, and its error comes through the event.
  if (server.listening && uid !== undefined && gid !== undefined) lchownSync(path, uid, gid)
  await listening
}
