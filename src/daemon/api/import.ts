// POST /v1/import: a CAR is the body, NDJSON the answer. This is how a user who
// may not write the store adds to it: every block is checked against its CID,
// and no path that the user names is ever opened here.
//
// ?protect=<cid>, any number of them, names DAGs that are here already and that the
// client is about to link: protected before anything is read, and whole and on
// stable storage at "done". The CAR then may have a header only.
//
// The answer's last line names the roots, or the error. With ?hold=1 the
// connection then stays open, and with it the temp pin, until the client closes
// it: the client writes its own link meanwhile (blocks before roots, invariant 4).

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, type ErrorCode, hasCode, PkgError } from '../../errors.ts'
import { withAdd } from '../../store/add/add.ts'
import { importCar } from '../../store/car/read.ts'
import { type CID, parseCid } from '../../store/cid.ts'
import type { Store } from '../../store/store.ts'
import type { Admission } from '../limits/admission.ts'
import { bodyOf, letGo } from './body.ts'

/** DAGs that one request may have protected; more can be had by another one. */
const MAX_PROTECT = 128

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 200

export type ImportLine =
  | { type: 'progress'; blocks: number; bytes: number }
  /** `complete`: those of the roots that are whole, on stable storage */
  | { type: 'done'; roots: string[]; complete: string[]; blocks: number; bytes: number }
  | { type: 'error'; code: ErrorCode; message: string; hint?: string }

export type ImportContext = {
  store: Store
  admission: Admission
  /** who asks, as the kernel says */
  uid: number
}

/**
 * Serves one import. The answer's status is 200 even when a later line is an error: it has begun by then.
 * Throws BUSY, NO_SPACE, BAD_CID and USAGE before it begins.
 */
export async function serveImport(
  { store, admission, uid }: ImportContext,
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
): Promise<void> {
  const protect = cidsOf(url)
  const hold = url.searchParams.get('hold') === '1' ? admission.hold(uid) : undefined
  const closed = new AbortController()
  res.once('close', () => closed.abort())
  try {
    await admission.prepare(uid)
    const admitted = admission.enter(uid)
    const signal = AbortSignal.any([closed.signal, admitted.signal])
    res.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).flushHeaders()
    const say = (line: ImportLine) => res.write(`${JSON.stringify(line)}\n`)
    const tell = every(say)
    try {
      await withAdd(store, async (add) => {
        for (const cid of protect) await add.protect(cid)
        const { roots, complete, blocks, bytes, ...written } = await importCar(add, bodyOf(req, signal), {
          signal,
          memoryBytes: admitted.memoryBytes,
          onProgress: (figures) => {
            if (figures.phase === 'storing') admitted.received()
            admitted.checkSpace(figures)
            tell(figures)
          },
        })
        admitted.wrote({ blocks: written.newBlocks, bytes: written.newBytes })
        admitted.received()
        // A flush may take longer than an idle connection is let live, and the client has said all it has to say.
        res.setTimeout(0)
        for (const cid of protect) await add.rely(cid)
        await add.commit([...complete, ...protect])
        admitted.leave()
        say({ type: 'done', roots: roots.map(String), complete: complete.map(String), blocks, bytes })
        if (hold) await held(res, { holdMs: hold.holdMs, signal: closed.signal })
      })
    } catch (error) {
      if (!closed.signal.aborted) say(errorLine(admitted.signal.aborted ? admitted.signal.reason : error))
    } finally {
      admitted.leave()
    }
  } finally {
    hold?.end()
  }
  letGo(req, res)
}

export function errorLine(error: unknown): ImportLine & { type: 'error' } {
  const message = error instanceof Error ? error.message : String(error)
  const hint = hasCode(error, codeOf(error)) ? error.hint : undefined
  return { type: 'error', code: codeOf(error), message, ...(hint && { hint }) }
}

function cidsOf({ searchParams }: URL): CID[] {
  const names = searchParams.getAll('protect')
  if (names.length > MAX_PROTECT) {
    throw new PkgError('USAGE', `one request may have ${MAX_PROTECT} DAGs protected, not ${names.length}`)
  }
  return names.map(parseCid)
}

async function held(
  res: ServerResponse,
  { holdMs, signal }: { holdMs: number; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return
  const end = new AbortController()
  await Promise.race([
    once(res, 'close', { signal: end.signal }),
    delay(holdMs, undefined, { signal: end.signal }),
  ])
  end.abort()
  // Before the protection ends: a client that still sees the connection knows that what it linked was protected.
  res.destroy()
}

function every(say: (line: ImportLine) => void): (figures: { blocks: number; bytes: number }) => void {
  let next = 0
  return ({ blocks, bytes }) => {
    if (performance.now() < next) return
    next = performance.now() + PROGRESS_MS
    say({ type: 'progress', blocks, bytes })
  }
}
