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
import { lastCollection } from '../../collector/last-collection.ts'
import { type Config, readConfig } from '../../config.ts'
import { PkgError } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { Store } from '../../store/store.ts'
import { Admission } from '../limits/admission.ts'
import { Quotas } from '../limits/quota.ts'
import { Turns } from '../limits/turns.ts'
import type { Log } from '../log.ts'
import { Collections } from './collections.ts'
import { limitConnections } from './connections.ts'
import { errorLine } from './import.ts'
import { listenAt } from './listen.ts'
import { sendJson, statusOf } from './respond.ts'
import { route, type Services } from './routes.ts'
import { UserSockets } from './users.ts'

/** Milliseconds without a byte in either direction after which a connection is cut: somebody is stuck, or gone. */
const IDLE_MS = 60_000

export type ApiOptions = {
  store: Store
  status: () => Promise<object>
  log: Log
  idleMs?: number
  /** many users share this prefix: then the public socket takes no imports. Default: root serves it */
  shared?: boolean
}

export type Api = { close(): void }

/**
 * Listens on the public socket, in place of one that a dead daemon left, and on
 * those of users as they say hello. Only idle connections are cut: an upload is as slow as its line.
 */
export async function listenApi(paths: PrefixPaths, options: ApiOptions): Promise<Api> {
  const own = process.getuid?.() ?? 0
  const shared = options.shared ?? own === 0
  const limits = lastRightSettings(paths, options.log)
  const collections = new Collections(paths, options.log)
  const services: Services = {
    store: options.store,
    status: options.status,
    log: options.log,
    admission: new Admission(paths, shared ? quotas(paths, collections, options.log) : undefined),
    collections,
    turns: new Turns(),
  }
  if (shared) {
    services.users = new UserSockets(paths, {
      max: () => limits()['users.sockets'],
      serverFor: ({ uid }) => {
        const server = makeServer(services, uid, options.idleMs)
        server.on('connection', () => services.users?.touch(uid))
        server.maxConnections = limits()['users.connections']
        return server
      },
    })
  }
  const server = makeServer(services, shared ? undefined : own, options.idleMs)
  limitConnections(server, () => limits()['users.publicConnections'])
  await listenAt(server, paths.daemonSocket, { mode: shared ? 0o666 : 0o600 })
  return {
    close() {
      server.close()
      server.closeAllConnections()
      services.users?.close()
      collections.close()
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

function makeServer(services: Services, uid: number | undefined, idleMs = IDLE_MS): Server {
  const server = createServer((req, res) => void answer(services, req, res, uid))
  // Node's default ends every request that is not whole after 300 s.
  server.requestTimeout = 0
  server.timeout = idleMs
  return server
}

async function answer(
  services: Services,
  req: IncomingMessage,
  res: ServerResponse,
  uid: number | undefined,
): Promise<void> {
  try {
    await route(services, { req, res, url: parseUrl(req.url), uid })
  } catch (error) {
    const status = statusOf(error)
    if (status === 500)
      services.log(`${req.method} ${req.url}: ${error instanceof Error ? error.stack : error}`)
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
