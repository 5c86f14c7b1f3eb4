// What a reader thread of the mount server does: reads block files, verifies
// them, hands the bytes over without a copy; or tells the sizes of the files.
// Blocking calls are right here, and only here: nobody waits for this thread
// except those who want its blocks.

import { parentPort, workerData } from 'node:worker_threads'
import { codeOf, type ErrorCode } from '../errors.ts'
import { Blocks } from '../store/blocks.ts'
import { CID } from '../store/cid.ts'

export type ReaderData = { blocks: string; quarantine: string }

/** `cids` are binary CIDs, one after the other: sending them one by one would cost more than reading the blocks. */
export type ReadRequest = { id: number; kind: 'blocks' | 'sizes'; cids: Uint8Array }

export type ReadFailure = { code: ErrorCode; message: string }

/** In the order of the request's CIDs. A size of -1 says that there is no such file. */
export type ReadReply = { id: number } & (
  | { kind: 'blocks'; blocks: (Uint8Array | ReadFailure)[] }
  | { kind: 'sizes'; sizes: Float64Array }
)

export function serveReads(): void {
  const blocks = new Blocks(workerData as ReaderData)
  parentPort?.on('message', ({ id, kind, cids }: ReadRequest) => {
    if (kind === 'sizes') {
      const sizes = Float64Array.from(unpackCids(cids), (cid) => sizeOf(blocks, cid))
      parentPort?.postMessage({ id, kind, sizes } satisfies ReadReply, [sizes.buffer])
      return
    }
    const results = unpackCids(cids).map((cid) => read(blocks, cid))
    const owned = results.flatMap((result) =>
      result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : [],
    )
    parentPort?.postMessage({ id, kind, blocks: results } satisfies ReadReply, owned)
  })
}

function read(blocks: Blocks, cid: CID): Uint8Array | ReadFailure {
  try {
    const bytes = blocks.get(cid)
    // Memory is given away with the message: it must be the block's alone.
    return bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes)
  } catch (error) {
    return { code: codeOf(error), message: error instanceof Error ? error.message : String(error) }
  }
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
