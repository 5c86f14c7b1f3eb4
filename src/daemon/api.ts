// The daemon's API: HTTP on Unix sockets.
//
//   GET  /v1/status              the daemon and its mount, as JSON
//   GET  /ipfs/<cid>?format=…    a block or a DAG (gateway.ts)
//   POST /v1/hello?uid=N         makes the directories and the socket of that user (users.ts)
//   POST /v1/import[?hold=1]     a CAR to add (import.ts)
//   POST /v1/collect             a collection (collections.ts)
//   POST /v1/checkout?cid=…      real trees, where nothing is mounted (checkout.ts)
//
// In a prefix of root's, `var/daemon.sock` is open to all, who ask the first three;
// the last three need a user that the kernel vouches for, at `var/users/<uid>.sock`.
// In anybody else's prefix only the owner can connect at all, and asks everything.
// Nothing here stops anything or links: a daemon is stopped by a signal, where the
// kernel checks who asks.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { lastCollection } from '../collector/last-collection.ts'
import { type Config, readConfig } from '../config.ts'
import { hasCode, PkgError } from '../errors.ts'
import type { PrefixPaths } from '../paths.ts'
import type { Store } from '../store/store.ts'
import { Admission } from './admission.ts'
import { serveCheckout } from './checkout.ts'
import { Collections } from './collections.ts'
import { limitConnections } from './connections.ts'
import { serveGateway } from './gateway.ts'
import { errorLine, serveImport } from './import.ts'
import { listenAt } from './listen.ts'
import type { Log } from './log.ts'
import { Quotas } from './quota.ts'
import { Turns } from './turns.ts'
import { UserSockets } from './users.ts'

/** Milliseconds without a byte in either direction after which a connection is cut: somebody is stuck, or gone. */
const IDLE_MS = 60_000

/** Seconds after which who was refused may try again. */
const RETRY_S = 5

export type ApiOptions = {
  store: Store
  status: () => Promise<object>
  log: Log
  idleMs?: number
  /** many users share this prefix: then the public socket takes no imports. Default: root serves it */
  shared?: boolean
}

export type Api = { close(): void }

type Kept = { admission: Admission; collections: Collections; turns: Turns; users?: UserSockets }
type Surroundings = ApiOptions & Kept

/** `uid`: who asks, where the kernel vouches for it. */
type Request = { req: IncomingMessage; res: ServerResponse; url: URL; uid: number | undefined }

/**
 * Listens on the public socket, in place of one that a dead daemon left, and on
 * those of users as they say hello. Only idle connections are cut: an upload is as slow as its line.
 */
export async function listenApi(paths: PrefixPaths, options: ApiOptions): Promise<Api> {
  const own = process.getuid?.() ?? 0
  const shared = options.shared ?? own === 0
  const limits = lastRightSettings(paths, options.log)
  const collections = new Collections(paths, options.log)
  const around: Surroundings = {
    ...options,
    admission: new Admission(paths, shared ? quotas(paths, collections, options.log) : undefined),
    collections,
    turns: new Turns(),
  }
  if (shared) {
    around.users = new UserSockets(paths, {
      max: () => limits()['users.sockets'],
      serverFor: ({ uid }) => {
        const server = makeServer(around, uid)
        server.on('connection', () => around.users?.touch(uid))
        server.maxConnections = limits()['users.connections']
        return server
      },
    })
  }
  const server = makeServer(around, shared ? undefined : own)
  limitConnections(server, () => limits()['users.publicConnections'])
  await listenAt(server, paths.daemonSocket, { mode: shared ? 0o666 : 0o600 })
  return {
    close() {
      server.close()
      server.closeAllConnections()
      around.users?.close()
      around.collections.close()
    },
  }
}

/** The settings as they are, or as they were before they were wrong: that cuts nobody off. Throws USAGE at once only. */
function lastRightSettings(paths: PrefixPaths, log: Log): () => Config {
  let last = readConfig(paths)
  let said = ''
  return () => {
    try {
      last = readConfig(paths)
      said = ''
    } catch (error) {
      if (String(error) !== said) log(`settings are as they were: ${error}`)
      said = String(error)
    }
    return last
  }
}

/** Where it cannot be measured what a user has, only what comes counts: no fault of that user's. */
function quotas(paths: PrefixPaths, collections: Collections, log: Log): Quotas {
  const measure = async (uid: number): Promise<number> => {
    try {
      return await collections.measure(uid)
    } catch (error) {
      log(`what uid ${uid} has cannot be measured: ${error}`)
      return 0
    }
  }
  return new Quotas(paths, { measure, lastSettled: () => lastCollection(paths)?.settled })
}

function makeServer(around: Surroundings, uid: number | undefined): Server {
  const server = createServer((req, res) => void answer(around, req, res, uid))
  // Node's default ends every request that is not whole after 300 s.
  server.requestTimeout = 0
  server.timeout = around.idleMs ?? IDLE_MS
  return server
}

async function answer(
  around: Surroundings,
  req: IncomingMessage,
  res: ServerResponse,
  uid: number | undefined,
): Promise<void> {
  try {
    await route(around, { req, res, url: parseUrl(req.url), uid })
  } catch (error) {
    const status = statusOf(error)
    if (status === 500)
      around.log(`${req.method} ${req.url}: ${error instanceof Error ? error.stack : error}`)
    // After the first byte there is no status to change: a cut connection says that it went wrong.
    if (res.headersSent) res.destroy()
    else sendJson(res, status, errorLine(error))
  }
}

async function route(around: Surroundings, { req, res, url, uid }: Request): Promise<void> {
  const { store, status, users, admission, collections, turns } = around
  const reads = req.method === 'GET' || req.method === 'HEAD'
  if (reads && url.pathname === '/v1/status') return sendJson(res, 200, await status())
  if (reads && url.pathname.startsWith('/ipfs/')) return serveGateway(store, req, res, url)
  const posted = req.method === 'POST' ? url.pathname : undefined
  if (posted === '/v1/hello' && users) return sendJson(res, 200, await users.hello(uidOf(url)))
  if (posted === '/v1/import') return serveImport({ store, admission, uid: known(uid) }, req, res, url)
  if (posted === '/v1/collect') return collections.serve(res, known(uid))
  if (posted === '/v1/checkout') return serveCheckout({ store, admission, turns, uid: known(uid) }, res, url)
  throw new PkgError('NOT_FOUND', `no such request: ${req.method} ${url.pathname.slice(0, 200)}`)
}

function known(uid: number | undefined): number {
  if (uid !== undefined) return uid
  throw new PkgError('PERMISSION', 'at this socket nobody knows who asks', {
    hint: 'Ask for a socket of your own: POST /v1/hello?uid=<your uid>.',
  })
}

function uidOf({ searchParams }: URL): number {
  const text = searchParams.get('uid') ?? ''
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new PkgError('USAGE', `${JSON.stringify(text.slice(0, 20))} is no uid`)
}

function parseUrl(text = '/'): URL {
  // HTTP takes a whole URL here too, and a path may begin with two slashes: both can be no URL at all.
  if (URL.canParse(text, 'http://daemon')) return new URL(text, 'http://daemon')
  throw new PkgError('USAGE', `no such request: ${text.slice(0, 200)}`)
}

function statusOf(error: unknown): number {
  if (hasCode(error, 'MISSING_BLOCK', 'INCOMPLETE', 'NOT_FOUND')) return 404
  if (hasCode(error, 'BAD_CID', 'BAD_NAME', 'UNSUPPORTED', 'USAGE')) return 400
  if (hasCode(error, 'PERMISSION')) return 403
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
