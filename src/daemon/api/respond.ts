// Answers as JSON, and which HTTP status an error has.

import type { ServerResponse } from 'node:http'
import { hasCode } from '../../errors.ts'

/** Seconds after which who was refused may try again. */
const RETRY_S = 5

export function statusOf(error: unknown): number {
  if (hasCode(error, 'MISSING_BLOCK', 'INCOMPLETE', 'NOT_FOUND')) return 404
  if (hasCode(error, 'BAD_CID', 'BAD_NAME', 'UNSUPPORTED', 'USAGE')) return 400
  if (hasCode(error, 'PERMISSION')) return 403
  if (hasCode(error, 'BUSY')) return 503
  if (hasCode(error, 'NO_SPACE')) return 507
  return 500
}

export function sendJson(res: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`
  for (const name of res.getHeaderNames()) res.removeHeader(name)
  if (status === 503) res.setHeader('Retry-After', RETRY_S)
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  res.end(text)
}
