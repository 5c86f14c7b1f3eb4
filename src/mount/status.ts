// The mount server's control socket: HTTP over `var/mount.sock`, for its owner only.
//   GET /status    pid, mount point, requests since the start, cache
//   POST /unmount  ends the server as SIGTERM does
//   POST /hand-over  gives way to another server, unless the mount is in use (409)

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { socketPath } from '../files/socket.ts'

export type Control = {
  status(): Record<string, unknown>
  stop(): void
  /** false when it goes on */
  handOver(): Promise<boolean>
  /** It was handed over, and who asked has the answer. */
  handedOver(): void
}

/** Listens; resolves when whoever knows the path can ask. A socket that a dead server left is replaced. */
export function listenForControl(
  socket: string,
  { status, stop, handOver, handedOver }: Control,
): Promise<Server> {
  const server = createServer(async (request, response) => {
    if (`${request.method} ${request.url}` === 'POST /hand-over') {
      const done = await handOver()
      // Closing removes the socket's file: before the other server makes its own.
      if (done) server.close()
      response.writeHead(done ? 200 : 409, { connection: 'close' })
      response.end(() => done && handedOver())
      return
    }
    const route = `${request.method} ${request.url}`
    const body =
      route === 'GET /status' ? status() : route === 'POST /unmount' ? { stopping: true } : undefined
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json', connection: 'close' })
    response.end(JSON.stringify(body ?? { error: `there is no ${route}` }), () => {
      if (route === 'POST /unmount') stop()
    })
  })
  rmSync(socket, { force: true })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath(socket), () => {
      chmodSync(socket, 0o600)
      resolve(server)
    })
  })
}
