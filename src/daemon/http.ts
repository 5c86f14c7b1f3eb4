// A request over a Unix socket: what the daemon, the mount server and their
// clients say to each other. Bounded in time, for the other side may be stopped.

import { request } from 'node:http'
import { isErrno, PkgError } from '../errors.ts'
import { socketPath } from '../files/socket.ts'

/** Milliseconds for an answer from a process on this machine, which answers from memory. */
const ANSWER_MS = 2000

export type AskOptions = { method?: 'GET' | 'POST'; timeoutMs?: number }

/**
 * Asks `path` at the process that listens on `socket`; gives the answer's JSON.
 * Undefined when nobody listens there. Throws NO_DAEMON when someone does, and
 * gives no good answer within the time.
 */
export async function askSocket(
  socket: string,
  path: string,
  { method = 'GET', timeoutMs = ANSWER_MS }: AskOptions = {},
): Promise<unknown> {
  try {
    return JSON.parse(await exchange(socket, path, { method, timeoutMs }))
  } catch (error) {
    // EACCES is not among them: somebody may well be there.
    if (isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ENOTDIR')) return undefined
    if (isErrno(error, 'EACCES')) throw error
    throw new PkgError('NO_DAEMON', `no good answer from ${socket}`, { cause: error })
  }
}

function exchange(
  socket: string,
  path: string,
  { method, timeoutMs }: Required<AskOptions>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const req = request({ socketPath: socketPath(socket), path, method, signal }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => {
        text += chunk
      })
      res.on('error', reject)
      res.on('end', () => {
        if (res.statusCode === 200) resolve(text)
        else reject(new Error(`status ${res.statusCode}: ${text.slice(0, 200)}`))
      })
    })
    req.on('error', reject)
    req.end()
  })
}
