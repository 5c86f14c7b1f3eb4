// A request over a Unix socket: what the daemon, the mount server and their
// clients say to each other. Bounded in time, for the other side may be stopped.

import { request } from 'node:http'
import { type ErrorCode, isErrno, isErrorCode, PkgError } from '../errors.ts'
import { socketPath } from '../files/socket.ts'

/** Milliseconds for an answer from a process on this machine, which answers from memory. */
const ANSWER_MS = 2000

export type AskOptions = { method?: 'GET' | 'POST'; timeoutMs?: number }

/**
 * Asks `path` at the process that listens on `socket`; gives the answer's JSON.
 * Undefined when nobody listens there. Throws what the answer refuses with, and NO_DAEMON when someone
 * listens and gives no good answer within the time.
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
    if (isErrno(error, 'EACCES') || error instanceof PkgError) throw error
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
        else reject(refusalIn(text) ?? new Error(`status ${res.statusCode}: ${text.slice(0, 200)}`))
      })
    })
    req.on('error', reject)
    req.end()
  })
}

export type Refusal = { code: ErrorCode; message: string; hint?: string }

/** The error that a line of an answer, or a refused request's body, tells of. */
export function refusal({ code, message, hint }: Refusal): PkgError {
  return new PkgError(code, message, hint === undefined ? {} : { hint })
}

function refusalIn(body: string): PkgError | undefined {
  try {
    const told = JSON.parse(body) as Partial<Refusal>
    return isErrorCode(told.code) && typeof told.message === 'string' ? refusal(told as Refusal) : undefined
  } catch {
    // No JSON: then it is not the daemon's.
    return undefined
  }
}
