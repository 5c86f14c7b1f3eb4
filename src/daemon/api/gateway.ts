// GET /ipfs/<cid>?format=raw|car: one block, or a whole DAG as a CAR, from what
// is held here. The requests and headers are the trustless gateway's
// (specs.ipfs.tech/http-gateways/trustless-gateway), so that a client needs no
// second dialect; the bytes are verified before they leave (invariant 1).

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isErrno, PkgError } from '../../errors.ts'
import { exportCar } from '../../store/car/write.ts'
import { type CID, parseCid } from '../../store/cid.ts'
import type { Store } from '../../store/store.ts'

const TYPES = {
  raw: 'application/vnd.ipld.raw',
  car: 'application/vnd.ipld.car; version=1; order=dfs; dups=n',
} as const

type Format = keyof typeof TYPES

/** What a gateway request asks for. Throws BAD_CID, UNSUPPORTED (a path below the CID, another format). */
export function parseGatewayRequest(url: URL, accept = ''): { cid: CID; format: Format } {
  const [, , name = '', ...rest] = url.pathname.split('/')
  if (rest.some((part) => part !== '')) {
    throw new PkgError('UNSUPPORTED', 'only whole CIDs are served, no path below one')
  }
  const format = url.searchParams.get('format') ?? formatOf(accept)
  if (format !== 'raw' && format !== 'car') {
    throw new PkgError('UNSUPPORTED', 'only the formats raw and car are served', {
      hint: 'Add ?format=raw or ?format=car.',
    })
  }
  return { cid: parseCid(name), format }
}

/** Answers a GET or HEAD. Throws MISSING_BLOCK, INCOMPLETE, CORRUPT_BLOCK, BAD_CID, UNSUPPORTED before the first byte was sent. */
export async function serveGateway(
  store: Store,
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
): Promise<void> {
  const { cid, format } = parseGatewayRequest(url, req.headers.accept)
  const block = store.blocks.get(cid)
  const car = exportCar(store, cid)
  // What is missing shows here, while there still is a status to tell it with.
  const first = format === 'car' && req.method !== 'HEAD' ? await car.next() : undefined
  res.setHeader('Content-Type', TYPES[format])
  res.setHeader('Cache-Control', 'public, max-age=29030400, immutable')
  res.setHeader('ETag', `"${cid}.${format}"`)
  res.setHeader('X-Content-Type-Options', 'nosniff')
  if (format === 'raw') res.setHeader('Content-Length', block.length)
  if (req.method === 'HEAD') res.end()
  else if (format === 'raw') res.end(block)
  else await send(res, first?.value, car)
}

async function send(res: ServerResponse, first: Uint8Array | undefined, more: AsyncIterable<Uint8Array>) {
  async function* all() {
    if (first !== undefined) yield first
    yield* more
  }
  try {
    await pipeline(Readable.from(all()), res)
  } catch (error) {
    // A client that went away: nobody is left to be told.
    if (!isErrno(error, 'ERR_STREAM_PREMATURE_CLOSE')) throw error
  }
}

function formatOf(accept: string): string | undefined {
  if (accept.includes('application/vnd.ipld.raw')) return 'raw'
  return accept.includes('application/vnd.ipld.car') ? 'car' : undefined
}
