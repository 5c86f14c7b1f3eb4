// POST /v1/checkout?cid=…[&cid=…]: has real trees made where users may not write the
// store (store/checkout). The answer is NDJSON: `{"type":"progress","bytes":…}`, and in
// the end `{"type":"done","made":[…]}` or an error.
//
// The DAGs are in the store already. Their trees count for whoever has them made, as
// blocks do (daemon/limits/quota.ts), over all requests; the disk keeps its reserve; and what unfolds to
// much more than its blocks is refused. One piece of one user's request is made at a
// time, then it is the next user's turn (daemon/limits/turns.ts).

import type { ServerResponse } from 'node:http'
import { readConfig } from '../../config.ts'
import { PkgError } from '../../errors.ts'
import { storeMode } from '../../mount/mode.ts'
import { type AddSession, withAdd } from '../../store/add/add.ts'
import { checkOut, missingCheckouts, type Planned } from '../../store/checkout/check-out.ts'
import { type CID, parseCid } from '../../store/cid.ts'
import { closureSize } from '../../store/links/closure.ts'
import type { Store } from '../../store/store.ts'
import type { Admission } from '../limits/admission.ts'
import { checkoutSize, filesOnDisk } from '../limits/files-size.ts'
import { roomToUse } from '../limits/reserve.ts'
import type { Turns } from '../limits/turns.ts'
import { errorLine } from './import.ts'

/** CIDs in one request: packages of a large environment. */
const MAX_CIDS = 1024
/** A tree may take so many times what its blocks do, and so much in any case: files that packages repeat are linked. */
const UNFOLDS = 8
const ALWAYS_BYTES = 16 * 1024 * 1024
/** What is made in one turn, in bytes, unless a single tree is larger: a second of a slow disk. */
const PIECE_BYTES = 64 * 1024 * 1024
/** Between two lines of progress, in bytes. */
const PROGRESS_BYTES = 16 * 1024 * 1024

export type CheckoutContext = {
  store: Store
  admission: Admission
  turns: Turns
  /** for whom the kernel vouches; nobody else may ask */
  uid: number
}

export async function serveCheckout(
  context: CheckoutContext,
  res: ServerResponse,
  { searchParams }: URL,
): Promise<void> {
  const cids = searchParams.getAll('cid').map((text) => parseCid(text).toV1())
  if (cids.length === 0 || cids.length > MAX_CIDS) {
    throw new PkgError('USAGE', `a request is for 1 to ${MAX_CIDS} CIDs`)
  }
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).flushHeaders()
  try {
    await context.admission.prepare(context.uid)
    const made = await withAdd(context.store, (add) => make(context, { add, cids, res, signal: gone.signal }))
    res.end(`${JSON.stringify({ type: 'done', made: made.map(String) })}\n`)
  } catch (error) {
    res.end(`${JSON.stringify(errorLine(error))}\n`)
  }
}

type Request = { add: AddSession; cids: readonly CID[]; res: ServerResponse; signal: AbortSignal }

/** Piece by piece. What was made before a piece fails stays, until a collection finds that nothing keeps it. */
async function make(
  { store, admission, turns, uid }: CheckoutContext,
  { add, cids, res, signal }: Request,
): Promise<CID[]> {
  const made: CID[] = []
  let [told, before] = [0, 0]
  const onProgress = ({ bytes }: { bytes: number }) => {
    if (before + bytes - told < PROGRESS_BYTES) return
    told = before + bytes
    res.write(`${JSON.stringify({ type: 'progress', bytes: told })}\n`)
  }
  const first = async () => {
    await add.rely([...cids])
    refuseLarge(store, missingCheckouts(store, cids))
  }
  /** False when all is there. */
  const next = async (): Promise<boolean> => {
    if (storeMode(store.paths) === 'mount') return false
    const { piece, bytes } = firstPiece(store, missingCheckouts(store, cids))
    if (piece.length === 0) return false
    const end = admission.enterFiles(uid, bytes)
    let done = false
    try {
      const trees = await checkOut(store, piece, { signal, onProgress })
      made.push(...trees.made.map(({ cid }) => cid))
      done = true
    } finally {
      end(done)
    }
    before += bytes
    return true
  }
  await turns.take(uid, signal, first)
  while (await turns.take(uid, signal, next)) signal.throwIfAborted()
  return made
}

/** In their order: packages come before what links to them. */
function firstPiece(store: Store, plans: readonly Planned[]): { piece: CID[]; bytes: number } {
  const piece: CID[] = []
  let bytes = 0
  for (const plan of plans) {
    const size = filesOnDisk(checkoutSize(store, plan))
    if (piece.length > 0 && bytes + size > PIECE_BYTES) break
    piece.push(plan.cid)
    bytes += size
  }
  return { piece, bytes }
}

/**
 * Throws NO_SPACE for trees that together would take the disk's reserve, of bytes or of files, UNSUPPORTED for
 * such that are far larger than their blocks: a request for many small ones is no way around either.
 */
function refuseLarge(store: Store, plans: readonly Planned[]): void {
  if (plans.length === 0) return
  const sum = { entries: 0, bytes: 0 }
  for (const plan of plans) {
    const { entries, bytes } = checkoutSize(store, plan)
    sum.entries += entries
    sum.bytes += bytes
  }
  const what = plans.length === 1 ? `${plans[0]?.cid}` : `what ${plans.length} checkouts hold`
  const needed = filesOnDisk(sum)
  if (needed > ALWAYS_BYTES && needed > UNFOLDS * closureSize(store, cidsOf(plans)).bytes) {
    throw new PkgError(
      'UNSUPPORTED',
      `${what} unfolds to ${needed} bytes of real files, far more than its blocks`,
    )
  }
  const { bytes, files = Number.POSITIVE_INFINITY } = roomToUse(store.paths, readConfig(store.paths))
  if (sum.entries <= files && needed <= bytes) return
  throw new PkgError('NO_SPACE', `there is no room for ${what} as real files: ${needed} bytes`)
}

const cidsOf = (plans: readonly Planned[]) => plans.map(({ cid }) => cid)
