// What the daemon answers: one line a request. Who may ask what is said at the head of api.ts.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { PkgError } from '../../errors.ts'
import type { Store } from '../../store/store.ts'
import type { Admission } from '../limits/admission.ts'
import type { Turns } from '../limits/turns.ts'
import type { Log } from '../log.ts'
import { serveCheckout } from './checkout.ts'
import type { Collections } from './collections.ts'
import { serveGateway } from './gateway.ts'
import { serveImport } from './import.ts'
import { sendJson } from './respond.ts'
import type { UserSockets } from './users.ts'

/** What requests are served with; the same for all. */
export type Services = {
  store: Store
  status: () => Promise<object>
  log: Log
  admission: Admission
  collections: Collections
  turns: Turns
  /** undefined where one user has the prefix to themselves */
  users?: UserSockets | undefined
}

/** `uid`: who asks, where the kernel vouches for it. */
export type Request = { req: IncomingMessage; res: ServerResponse; url: URL; uid: number | undefined }

type Route = {
  method: 'GET' | 'POST'
  /** the whole path; ending in "/" it stands for all below it */
  path: string
  serve: (services: Services, request: Request) => unknown
}

/** GET stands for HEAD too. */
const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/status',
    serve: async ({ status }, { res }) => sendJson(res, 200, await status()),
  },
  {
    method: 'GET',
    path: '/ipfs/',
    serve: ({ store }, { req, res, url }) => serveGateway(store, req, res, url),
  },
  { method: 'POST', path: '/v1/hello', serve: hello },
  {
    method: 'POST',
    path: '/v1/import',
    serve: (services, { req, res, url, uid }) => serveImport({ ...services, uid: known(uid) }, req, res, url),
  },
  {
    method: 'POST',
    path: '/v1/collect',
    serve: ({ collections }, { res, uid }) => collections.serve(res, known(uid)),
  },
  {
    method: 'POST',
    path: '/v1/checkout',
    serve: (services, { res, url, uid }) => serveCheckout({ ...services, uid: known(uid) }, res, url),
  },
]

/** Throws NOT_FOUND for what is no request of ours, and what serving it throws. */
export async function route(services: Services, request: Request): Promise<void> {
  const { req, url } = request
  const method = req.method === 'HEAD' ? 'GET' : req.method
  const isFor = ({ path }: Route) =>
    path.endsWith('/') ? url.pathname.startsWith(path) : url.pathname === path
  const found = ROUTES.find((one) => one.method === method && isFor(one))
  if (found === undefined) throw unknown(request)
  await found.serve(services, request)
}

async function hello({ users }: Services, request: Request): Promise<void> {
  if (users === undefined) throw unknown(request)
  sendJson(request.res, 200, await users.hello(uidOf(request.url)))
}

function unknown({ req, url }: Request): PkgError {
  return new PkgError('NOT_FOUND', `no such request: ${req.method} ${url.pathname.slice(0, 200)}`)
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
