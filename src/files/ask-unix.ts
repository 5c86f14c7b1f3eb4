// One request over a Unix socket whose answer is its status alone.

import { request } from 'node:http'
import { socketPath } from './socket.ts'

/** The HTTP status; undefined when nobody answers within the time (ms). */
export function askUnix(
  socket: string,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const sent = request(
      { socketPath: socketPath(socket), method, path, signal, agent: false },
      (response) => {
        response.resume()
        response.on('error', () => resolve(undefined))
        response.on('end', () => resolve(response.statusCode))
      },
    )
    sent.on('error', () => resolve(undefined))
    sent.end()
  })
}
