// POST /v1/checkout?cid=…[&cid=…]: has real trees made where users may not write the
// store (store/checkout). The answer is NDJSON: `{"type":"progress","bytes":…}`, and in
// the end `{"type":"done","made":[…]}` or an error.
//
// The DAGs are in the store already, and their blocks count against whoever brought
// them. What unfolds to much more than its blocks, so that little would fill the disk,
// is refused; the disk keeps its reserve; one is made at a time.

import { statfsSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { readConfig } from '../config.ts'
import { PkgError } from '../errors.ts'
import { storeMode } from '../mount/mode.ts'
import { withAdd } from '../store/add.ts'
import { checkOut, missingCheckouts, type Planned } from '../store/checkout/check-out.ts'
import { type CID, nodeKey, parseCid } from '../store/cid.ts'
import { closureSize } from '../store/closure.ts'
import type { Store } from '../store/store.ts'
import { measureTree } from '../store/unixfs/measure.ts'
import { errorLine } from './import.ts'

/** CIDs in one request: packages of a large environment. */
const MAX_CIDS = 1024
/** What an entry takes beside its bytes: an inode and a directory's block, in bytes. */
const ENTRY_BYTES = 4096
/** A tree may take so many times what its blocks do, and so much in any case: files that packages repeat are linked. */
const UNFOLDS = 8
const ALWAYS_BYTES = 16 * 1024 * 1024
/** Between two lines of progress, in bytes. */
const PROGRESS_BYTES = 16 * 1024 * 1024

let last: Promise<unknown> = Promise.resolve()

/** `uid`: for whom the kernel vouches; nobody else may ask. */
export async function serveCheckout(
  { store }: { store: Store; uid: number },
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
  const turn = last.then(() => make(store, cids, res, gone.signal))
  last = turn.catch(() => {})
  try {
    const made = await turn
    res.end(`${JSON.stringify({ type: 'done', made: made.map(String) })}\n`)
  } catch (error) {
    res.end(`${JSON.stringify(errorLine(error))}\n`)
  }
}

async function make(
  store: Store,
  cids: readonly CID[],
  res: ServerResponse,
  signal: AbortSignal,
): Promise<CID[]> {
  signal.throwIfAborted()
  if (storeMode(store.paths) === 'mount') return []
  return withAdd(store, async (add) => {
    await add.rely([...cids])
    const missing = missingCheckouts(store, cids)
    if (missing.length > 0) refuseLarge(store, missing)
    let told = 0
    const onProgress = ({ bytes }: { bytes: number }) => {
      if (bytes - told < PROGRESS_BYTES) return
      told = bytes
      res.write(`${JSON.stringify({ type: 'progress', bytes })}\n`)
    }
    const { made } = await checkOut(store, cids, { signal, onProgress })
    return made.map(({ cid }) => cid)
  })
}

/**
 * Throws NO_SPACE for trees that together would take the disk's reserve, of bytes or of files, UNSUPPORTED for
 * such that are far larger than their blocks: a request for many small ones is no way around either.
 */
function refuseLarge(store: Store, plans: readonly Planned[]): void {
  const sum = { entries: 0, bytes: 0 }
  for (const { cid, siblings } of plans) {
    const asLinks = new Set(Array.from(siblings.values(), nodeKey))
    const blockSize = (leaf: CID) => store.blocks.size(leaf)
    const { entries, bytes } = measureTree(store.blocks, cid, { blockSize, asLinks })
    sum.entries += entries
    sum.bytes += bytes
  }
  const what = plans.length === 1 ? `${plans[0]?.cid}` : `what ${plans.length} checkouts hold`
  const needed = sum.bytes + sum.entries * ENTRY_BYTES
  if (needed > ALWAYS_BYTES && needed > UNFOLDS * closureSize(store, cidsOf(plans)).bytes) {
    throw new PkgError(
      'UNSUPPORTED',
      `${what} unfolds to ${needed} bytes of real files, far more than its blocks`,
    )
  }
  const config = readConfig(store.paths)
  const disk = statfsSync(store.paths.blocks)
  const left = config['uploads.reservePercent'] / 100
  const reserved = Math.max(config['uploads.reserveBytes'], disk.blocks * disk.bsize * left)
  // Some file systems have no fixed number of files, and say 0.
  const files = disk.files === 0 || sum.entries <= disk.ffree - disk.files * left
  if (files && needed <= disk.bavail * disk.bsize - reserved) return
  throw new PkgError('NO_SPACE', `there is no room for ${what} as real files: ${needed} bytes`)
}

const cidsOf = (plans: readonly Planned[]) => plans.map(({ cid }) => cid)
