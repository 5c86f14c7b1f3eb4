// What an upload needs of the way to the daemon (daemon/client/upload.ts is it):
// the store knows neither sockets nor HTTP.

import type { Block } from '../add/writer.ts'
import type { CID } from '../cid.ts'

export type UploadRequest = {
  /** DAGs to protect, with what of them lies in the prefix already; few, for they go into one header */
  roots: readonly CID[]
  /** what is new, read when it is sent; may be run again */
  blocks: () => Iterable<Block>
  /** bytes of all blocks, for whoever watches */
  bytes: number
}

/** What the daemon holds for us. */
export type Upload = {
  /** those of the roots that were whole, and on stable storage, when it answered */
  readonly whole: readonly CID[]
  /** The daemon ended it, or ended itself: nothing is protected by it any more. */
  readonly lost: boolean
  /** Ends the protection. Idempotent. */
  close(): void
}

export interface Uploader {
  /**
   * Has the daemon protect these roots and take these blocks; when it returns they are in
   * the prefix, on stable storage, and stay until `close`, or until the daemon ends.
   * Throws NO_DAEMON, BUSY, NO_SPACE, PERMISSION, INTERRUPTED, and what the daemon refuses.
   */
  upload(request: UploadRequest): Promise<Upload>
}
