// How many connections a socket has that everybody may open: when there are too
// many, the one that does nothing goes, not the one that comes. A flood then holds
// no place for longer than it keeps flooding.

import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Keeps a server at most at `max()` connections: cuts the oldest without a request, else the oldest. */
export function limitConnections(server: Server, max: () => number): void {
  const open = new Map<Socket, { requests: number }>()
  server.on('connection', (socket: Socket) => {
    const limit = max()
    while (open.size >= limit) {
      const victim = [...open].find(([, { requests }]) => requests === 0)?.[0] ?? open.keys().next().value
      if (victim === undefined) break
      open.delete(victim)
      victim.destroy()
    }
    open.set(socket, { requests: 0 })
    socket.once('close', () => open.delete(socket))
  })
  server.on('request', ({ socket }, res) => {
    const found = open.get(socket)
    if (found === undefined) return
    found.requests += 1
    res.once('close', () => {
      found.requests -= 1
    })
  })
}
