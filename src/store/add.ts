// An add session: a temp pin, a writer, and the order that invariant 4 asks for:
// blocks, barrier, link, and only then the end of the temp pin.

import { dirname } from 'node:path'
import { syncFiles, syncFilesystem } from '../files/barrier.ts'
import type { CID } from './cid.ts'
import { requireComplete } from './closure.ts'
import { settle } from './settle.ts'
import type { Store } from './store.ts'
import { TempPin } from './temp-pin.ts'
import { type Block, BlockWriter, type WriteFigures } from './writer.ts'

export class AddSession {
  readonly store: Store
  readonly tempPin: TempPin
  readonly writer: BlockWriter
  /** Others wrote what this session counts on: then only a flush of the file system covers all. */
  #others = false
  #closers: (() => void)[] = []

  constructor(store: Store) {
    this.store = store
    this.tempPin = new TempPin(store.paths)
    this.writer = new BlockWriter(store.paths, this.tempPin)
  }

  /** Writes blocks; see BlockWriter.write. */
  put(batch: readonly Block[]): Promise<WriteFigures> {
    return this.writer.write(batch)
  }

  /**
   * Protects a whole DAG that is here already, from when it returns to `close`.
   * Look at its completeness after this, not before.
   */
  async protect(cid: CID): Promise<void> {
    this.tempPin.addDag(cid)
    await settle(this.store.paths)
  }

  /**
   * Protects a DAG that is here already, and counts on it: the next barrier covers it
   * too where it is not known to be on stable storage, for whoever added it may not
   * have come that far. Throws INCOMPLETE when it is not whole here, unless a `partial` one will do.
   */
  async rely(cid: CID, { partial = false } = {}): Promise<void> {
    await this.protect(cid)
    if (!partial) requireComplete(this.store, cid)
    if (!this.store.index.isComplete(cid)) this.#others = true
  }

  /** Tells that others wrote for this session too, under temp pins that `close` has to end as well. */
  joined(close: () => void): void {
    this.#others = true
    this.#closers.push(close)
  }

  /**
   * The barrier: when it returns, all that this session wrote or found is on
   * stable storage, and `complete` (DAGs known to be whole) are noted as such.
   * Links come after it. May be called again after more was written.
   */
  async commit(complete: Iterable<CID> = []): Promise<void> {
    this.store.flush()
    const touched = this.writer.takeTouched()
    if (touched === undefined || this.#others) {
      await syncFilesystem(this.store.paths.blocks)
    } else {
      syncFiles(touched)
      syncFiles(new Set([...touched].map((file) => dirname(file))))
    }
    this.store.index.markComplete(complete)
  }

  /** Ends the protection: after the link was written, or when there shall be none. Idempotent. */
  close(): void {
    this.tempPin.close()
    for (const close of this.#closers.splice(0)) close()
  }
}

/** Opens a session, runs `fn` and closes it, whatever happens. */
export async function withAdd<T>(store: Store, fn: (add: AddSession) => Promise<T>): Promise<T> {
  const add = new AddSession(store)
  try {
    return await fn(add)
  } finally {
    add.close()
  }
}
