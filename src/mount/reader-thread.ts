// What a reader thread of the mount server does: reads block files, verifies
// them, hands the bytes over without a copy; or tells the sizes of the files.
// Blocking calls are right here, and only here: nobody waits for this thread
// except those who want its blocks.

import { closeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { codeOf, type ErrorCode } from '../errors.ts'
import { readInto } from '../store/blocks/block-file.ts'
import { Blocks } from '../store/blocks/blocks.ts'
import { CID } from '../store/cid.ts'

export type ReaderData = { blocks: string; quarantine: string }

/** `cids` are binary CIDs, one after the other: sending them one by one would cost more than reading the blocks. */
export type ReadRequest =
  | { id: number; kind: 'blocks' | 'sizes'; cids: Uint8Array }
  /** memory of a large block that is not needed any more, to read the next one into */
  | { kind: 'spare'; buffer: ArrayBuffer }

export type ReadFailure = { code: ErrorCode; message: string }

/** In the order of the request's CIDs. A size of -1 says that there is no such file. */
export type ReadReply = { id: number } & (
  | { kind: 'blocks'; blocks: (Uint8Array | ReadFailure)[] }
  | { kind: 'sizes'; sizes: Float64Array }
)

/** Blocks from this size on go into spare memory: fresh memory costs a page fault for each 4 KiB. */
export const LARGE_BLOCK = 256 * 1024
const MAX_SPARES = 2

export function serveReads(): void {
  const blocks = new Blocks(workerData as ReaderData)
  const spares: ArrayBuffer[] = []
  parentPort?.on('message', (request: ReadRequest) => {
    if (request.kind === 'spare') {
      if (spares.length < MAX_SPARES) spares.push(request.buffer)
      return
    }
    const { id, kind } = request
    const cids = unpackCids(request.cids)
    if (kind === 'sizes') {
      const sizes = Float64Array.from(cids, (cid) => sizeOf(blocks, cid))
      parentPort?.postMessage({ id, kind, sizes } satisfies ReadReply, [sizes.buffer])
      return
    }
    const results = cids.map((cid) => read(blocks, cid, spares))
    const owned = results.flatMap((result) => (result instanceof Uint8Array ? [result.buffer] : []))
    parentPort?.postMessage({ id, kind, blocks: results } satisfies ReadReply, owned)
  })
}

function read(blocks: Blocks, cid: CID, spares: ArrayBuffer[]): Uint8Array<ArrayBuffer> | ReadFailure {
  try {
    const bytes = readFile(blocks, cid, spares)
    blocks.check(cid, bytes)
    return bytes
  } catch (error) {
    return { code: codeOf(error), message: error instanceof Error ? error.message : String(error) }
  }
}

/** The file's bytes, unverified, in memory of their own. */
function readFile(blocks: Blocks, cid: CID, spares: ArrayBuffer[]): Uint8Array<ArrayBuffer> {
  const { fd, size } = blocks.open(cid)
  try {
    const spare = size >= LARGE_BLOCK ? takeSpare(spares, size) : undefined
    return readInto(fd, spare ? new Uint8Array(spare, 0, size) : new Uint8Array(new ArrayBuffer(size)))
  } finally {
    closeSync(fd)
  }
}

function takeSpare(spares: ArrayBuffer[], size: number): ArrayBuffer | undefined {
  const index = spares.findIndex(({ byteLength }) => byteLength >= size)
  return index === -1 ? undefined : spares.splice(index, 1)[0]
}

function sizeOf(blocks: Blocks, cid: CID): number {
  try {
    return blocks.size(cid) ?? -1
  } catch {
    // Reading the block will say what is wrong.
    return -1
  }
}

function unpackCids(packed: Uint8Array): CID[] {
  const cids: CID[] = []
  for (let rest = packed; rest.length > 0; ) {
    const [cid, remainder] = CID.decodeFirst(rest)
    cids.push(cid)
    rest = remainder
  }
  return cids
}
