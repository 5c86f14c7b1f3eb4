// Requests at this user's own socket of a daemon of root's, where the kernel has
// checked who asks. The answers are NDJSON.

import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { isErrno } from '../../errors.ts'
import { socketPath } from '../../files/socket.ts'
import { type PrefixPaths, userSocket } from '../../paths.ts'
import { noDaemon, sayHello } from './hello.ts'

export type UserRequest = { req: ClientRequest; response: Promise<IncomingMessage> }

/**
 * A POST whose body is the caller's to write and to end. Says hello where there is no socket, or
 * a dead daemon's. Throws NO_DAEMON, PERMISSION.
 */
export async function askAsUser(
  paths: PrefixPaths,
  path: string,
  headers: Record<string, string> = {},
): Promise<UserRequest> {
  const open = () => connect(userSocket(paths, process.getuid?.() as number), path, headers)
  try {
    return await open()
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ENOTDIR')) throw error
  }
  await sayHello(paths)
  try {
    return await open()
  } catch (cause) {
    throw noDaemon(paths, cause)
  }
}

async function connect(socket: string, path: string, headers: Record<string, string>): Promise<UserRequest> {
  const req = httpRequest({
    socketPath: socketPath(socket),
    path,
    method: 'POST',
    // Else the daemon would cut what it refuses in the middle, and what it said about it would be lost.
    headers: { ...headers, Connection: 'keep-alive' },
    // A connection of its own: where it holds something it lives as long as that.
    agent: false,
  })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    req.on('response', resolve).on('error', reject)
  })
  response.catch(() => {})
  req.flushHeaders()
  await new Promise<void>((resolve, reject) => {
    req.once('error', reject)
    req.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', resolve)
      else resolve()
    })
  })
  return { req, response }
}

/** The lines of an answer. The stream stays open when the reader leaves: it may be a hold. */
export async function* linesOf(res: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of res.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() as string
    yield* lines
  }
  if (rest !== '') yield rest
}
