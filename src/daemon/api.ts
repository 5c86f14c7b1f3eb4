// The daemon's API: HTTP on the Unix socket `<prefix>/var/daemon.sock`.
//
//   GET  /v1/status              the daemon and its mount, as JSON
//   POST /v1/import[?hold=1]     a CAR to add (import.ts)
//   GET  /ipfs/<cid>?format=…    a block or a DAG (gateway.ts)
//
// Whoever can open the socket may ask all of it, so nothing here stops, deletes
// or links: a daemon is stopped by a signal, where the kernel checks who asks.

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { hasCode, PkgError } from '../errors.ts'
import { socketPath } from '../files/socket.ts'
import type { PrefixPaths } from '../paths.ts'
import type { Store } from '../store/store.ts'
import { Admission } from './admission.ts'
import { serveGateway } from './gateway.ts'
import { errorLine, serveImport } from './import.ts'
import type { Log } from './log.ts'

/** Milliseconds without a byte in either direction after which a connection is cut: somebody is stuck, or gone. */
const IDLE_MS = 60_000

/** Above what a busy machine has at once; each connection costs some 50 KiB. */
const MAX_CONNECTIONS = 64

/** Seconds after which who was refused may try again. */
const RETRY_S = 5

export type ApiOptions = {
  store: Store
  status: () => Promise<object>
  log: Log
  idleMs?: number
}

/**
 * Listens on the socket, in place of one that a dead daemon left. In a prefix of
 * root every user may connect, else only the owner. A request may take as long as
 * it does, for an upload is as slow as its line; only idle connections are cut.
 */
export async function listenApi(paths: PrefixPaths, options: ApiOptions): Promise<Server> {
  const admission = new Admission(paths)
  const server = createServer((req, res) => void answer(req, res, { ...options, admission }))
  // Node's default ends every request that is not whole after 300 s.
  server.requestTimeout = 0
  server.timeout = options.idleMs ?? IDLE_MS
  server.maxConnections = MAX_CONNECTIONS
  rmSync(paths.daemonSocket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath(paths.daemonSocket), resolve)
  })
  chmodSync(paths.daemonSocket, process.getuid?.() === 0 ? 0o666 : 0o600)
  return server
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  { store, status, log, admission }: ApiOptions & { admission: Admission },
): Promise<void> {
  try {
    const url = parseUrl(req.url)
    const reads = req.method === 'GET' || req.method === 'HEAD'
    if (reads && url.pathname === '/v1/status') sendJson(res, 200, await status())
    else if (req.method === 'POST' && url.pathname === '/v1/import') {
      await serveImport({ store, admission }, req, res, url)
    } else if (reads && url.pathname.startsWith('/ipfs/')) await serveGateway(store, req, res, url)
    else sendJson(res, 404, { code: 'NOT_FOUND', message: `no such request: ${req.method} ${url.pathname}` })
  } catch (error) {
    const status = statusOf(error)
    if (status === 500) log(`${req.method} ${req.url}: ${error instanceof Error ? error.stack : error}`)
    // After the first byte there is no status to change: a cut connection says that it went wrong.
    if (res.headersSent) res.destroy()
    else sendJson(res, status, errorLine(error))
  }
}

function parseUrl(text = '/'): URL {
  // HTTP takes a whole URL here too, and a path may begin with two slashes: both can be no URL at all.
  if (URL.canParse(text, 'http://daemon')) return new URL(text, 'http://daemon')
  throw new PkgError('USAGE', `no such request: ${text.slice(0, 200)}`)
}

function statusOf(error: unknown): number {
  if (hasCode(error, 'MISSING_BLOCK', 'NOT_FOUND')) return 404
  if (hasCode(error, 'BAD_CID', 'UNSUPPORTED', 'USAGE')) return 400
  if (hasCode(error, 'BUSY')) return 503
  if (hasCode(error, 'NO_SPACE')) return 507
  return 500
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`
  for (const name of res.getHeaderNames()) res.removeHeader(name)
  if (status === 503) res.setHeader('Retry-After', RETRY_S)
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  res.end(text)
}
