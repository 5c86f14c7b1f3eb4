// POST /v1/import: a CAR is the body, NDJSON the answer. This is how a user who
// may not write the store adds to it: every block is checked against its CID,
// and no path that the user names is ever opened here.
//
// The answer's last line names the roots, or the error. With ?hold=1 the
// connection then stays open, and with it the temp pin, until the client closes
// it: the client writes its own link meanwhile (blocks before roots, invariant 4).

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, type ErrorCode, hasCode } from '../errors.ts'
import { withAdd } from '../store/add.ts'
import { importCar } from '../store/car/read.ts'
import type { Store } from '../store/store.ts'
import type { Admission } from './admission.ts'

/** A client that holds the connection writes one link: longer than this, in ms, it is stuck. */
const HOLD_MS = 60_000

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 200

export type ImportLine =
  | { type: 'progress'; blocks: number; bytes: number }
  | { type: 'done'; roots: string[]; blocks: number; bytes: number }
  | { type: 'error'; code: ErrorCode; message: string; hint?: string }

/**
 * Serves one import. The answer's status is 200 even when a later line is an error: it has begun by then.
 * Throws BUSY and NO_SPACE before it begins.
 */
export async function serveImport(
  { store, admission }: { store: Store; admission: Admission },
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
): Promise<void> {
  const admitted = admission.enter()
  const closed = new AbortController()
  res.once('close', () => closed.abort())
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).flushHeaders()
  const say = (line: ImportLine) => res.write(`${JSON.stringify(line)}\n`)
  const tell = every(say)
  try {
    await withAdd(store, async (add) => {
      const { roots, blocks, bytes } = await importCar(add, req, {
        signal: closed.signal,
        memoryBytes: admitted.memoryBytes,
        onProgress: (figures) => {
          admitted.checkSpace(figures.bytes)
          tell(figures)
        },
      })
      // A flush may take longer than an idle connection is let live, and the client has said all it has to say.
      res.setTimeout(0)
      await add.commit()
      admitted.leave()
      say({ type: 'done', roots: roots.map(String), blocks, bytes })
      if (url.searchParams.get('hold') === '1') await held(res, closed.signal)
    })
  } catch (error) {
    if (!closed.signal.aborted) say(errorLine(error))
  } finally {
    admitted.leave()
  }
  res.end()
}

export function errorLine(error: unknown): ImportLine & { type: 'error' } {
  const message = error instanceof Error ? error.message : String(error)
  const hint = hasCode(error, codeOf(error)) ? error.hint : undefined
  return { type: 'error', code: codeOf(error), message, ...(hint && { hint }) }
}

async function held(res: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const end = new AbortController()
  await Promise.race([
    once(res, 'close', { signal: end.signal }),
    delay(HOLD_MS, undefined, { signal: end.signal }),
  ])
  end.abort()
}

function every(say: (line: ImportLine) => void): (figures: { blocks: number; bytes: number }) => void {
  let next = 0
  return ({ blocks, bytes }) => {
    if (Date.now() < next) return
    next = Date.now() + PROGRESS_MS
    say({ type: 'progress', blocks, bytes })
  }
}
