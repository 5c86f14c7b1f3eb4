// An add session: a temp pin, a writer, and the order that invariant 4 asks for:
// blocks, barrier, link, and only then the end of the temp pin.

import { dirname } from 'node:path'
import { syncFiles } from '../../files/barrier.ts'
import { isBroken } from '../../files/failpoint.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { CID } from '../cid.ts'
import { requireCompleteInTurns } from '../links/closure.ts'
import type { Store } from '../store.ts'
import { recheck } from './recheck.ts'
import { settle } from './settle.ts'
import { flushStore } from './stable-mark.ts'
import { TempPin } from './temp-pin.ts'
import { type Block, BlockWriter, type WriteFigures, type WriterPaths } from './writer.ts'

/** Where a session writes: the places of the prefix itself, or of a scratch one whose blocks are uploaded. */
export type AddPlaces = Pick<PrefixPaths, 'tempPins'> & WriterPaths

export type RelyOptions = { partial?: boolean | undefined }

export class AddSession {
  readonly store: Store
  readonly places: AddPlaces
  readonly tempPin: TempPin
  readonly writer: BlockWriter
  /** Others wrote what this session counts on: then only a flush of the file system covers all. */
  #others = false
  #closers: (() => void)[] = []
  #begun: Promise<unknown> | undefined

  /** Use `store.openAdd()`: it knows how this user adds. */
  constructor(store: Store, places: AddPlaces = store.paths) {
    this.store = store
    this.places = places
    this.tempPin = new TempPin(places)
    this.writer = new BlockWriter(places, this.tempPin)
  }

  /**
   * After an unclean stop, what is there is verified before it counts: see recheck.ts.
   * Whoever writes by `writer` alone awaits this first; the methods below do themselves.
   */
  async begin(): Promise<void> {
    if (this.places !== this.store.paths) return
    this.#begun ??= recheck(this.store)
    await this.#begun
  }

  /** Writes blocks; see BlockWriter.write. */
  async put(batch: readonly Block[]): Promise<WriteFigures> {
    await this.begin()
    return this.writer.write(batch)
  }

  /**
   * Protects a block if it is here, from when it returns to `close`; false when it has
   * to be `put`.
   */
  async has(cid: CID): Promise<boolean> {
    await this.begin()
    await settle(this.places, this.tempPin.addBlocks([cid.multihash.bytes]))
    return this.store.blocks.has(cid)
  }

  /**
   * Protects a whole DAG that is here already, from when it returns to `close`.
   * Look at its completeness after this, not before.
   */
  async protect(cid: CID): Promise<void> {
    await this.begin()
    await settle(this.store.paths, this.tempPin.addDag(cid))
  }

  /**
   * Protects DAGs that are here already, and counts on them: the next barrier covers them
   * too where they are not known to be on stable storage, for whoever added them may not
   * have come that far. Throws INCOMPLETE when one is not whole here, unless a `partial` one will do.
   */
  async rely(cids: CID | readonly CID[], { partial = false }: RelyOptions = {}): Promise<void> {
    for (const cid of [cids].flat() as CID[]) {
      await this.protect(cid)
      if (!partial) await requireCompleteInTurns(this.store, cid)
      if (!this.store.index.isComplete(cid)) this.#others = true
    }
  }

  /** Tells of a DAG that was built with this session: one that uploads need not send it where it is there already. */
  built(_root: CID): void {}

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
    if (isBroken('barrier')) {
      // A test shows that this is noticed.
    } else if (touched === undefined || this.#others) {
      await flushStore(this.store.paths)
    } else {
      syncFiles(touched)
      syncFiles(new Set([...touched].map((file) => dirname(file))))
    }
    this.store.index.markComplete(complete)
  }

  /**
   * To be called when the links are written: makes sure that the protection held until
   * now, which a daemon that died in between may have ended. Throws NO_DAEMON, INCOMPLETE.
   */
  async finish(): Promise<void> {}

  /** Ends the protection: after the link was written, or when there shall be none. Idempotent. */
  close(): void {
    this.tempPin.close()
    for (const close of this.#closers.splice(0)) close()
  }
}

/** Opens a session, runs `fn` and closes it, whatever happens. */
export async function withAdd<T>(store: Store, fn: (add: AddSession) => Promise<T>): Promise<T> {
  const add = store.openAdd()
  try {
    await add.begin()
    const result = await fn(add)
    await add.finish()
    return result
  } finally {
    add.close()
  }
}
