// An add session of a user who may not write the prefix: it builds in a scratch
// prefix, has the daemon protect what it counts on, and uploads what is new when it
// commits. The daemon keeps its side (blocks, barrier, temp pin) before it answers,
// so blocks are before roots here too (invariant 4): the user's process writes its
// link while the connection, and with it the daemon's temp pin, is there.
//
// A daemon that ends takes the protection with it. So when the links are written the
// session looks whether all of it is there still (`finish`), and else has the daemon
// that runs then protect and take the same again: only what lasts is reported done.
//
// What lies below a DAG that the daemon holds and calls whole is not sent: it is there,
// and stays. A block that merely is there is sent, for a collection may be taking it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { PkgError } from '../../errors.ts'
import { AddSession, type RelyOptions } from '../add/add.ts'
import { readTempPins } from '../add/temp-pin.ts'
import type { Block } from '../add/writer.ts'
import type { BlockGetter } from '../blocks/blocks.ts'
import { type BlockKey, blockKey, type CID, rawCidOfKey } from '../cid.ts'
import { closure, requireComplete } from '../links/closure.ts'
import type { Hold } from './holds.ts'
import type { UploadStore } from './upload-store.ts'

export class UploadSession extends AddSession {
  readonly #store: UploadStore
  readonly #holds = new Set<Hold>()
  /** blocks that were uploaded, or need not be */
  readonly #sent = new Set<BlockKey>()
  readonly #built: CID[] = []
  #closed = false

  constructor(store: UploadStore) {
    super(store, store.scratch.enter(store.paths.blocks))
    this.#store = store
  }

  override async protect(cid: CID): Promise<void> {
    await this.#hold([cid])
  }

  /** One question to the daemon for all of them; it looks whether they are whole, and sees to the barrier. */
  override async rely(cids: CID | readonly CID[], { partial = false }: RelyOptions = {}): Promise<void> {
    const all = [cids].flat() as CID[]
    await this.#hold(all)
    if (!partial) for (const cid of all) this.#requireWhole(cid)
  }

  override async commit(complete: Iterable<CID> = []): Promise<void> {
    const roots = [...complete]
    await this.#store.holds.renewLost()
    await this.#upload(roots)
    for (const root of roots) this.#requireWhole(root)
    this.store.index.markComplete(roots)
  }

  override built(root: CID): void {
    this.#built.push(root)
  }

  /** `tops`: DAGs in which what is sent may lie; those that are in the prefix already are asked for before. */
  async #upload(roots: readonly CID[], tops = roots): Promise<void> {
    this.store.flush()
    this.writer.takeTouched()
    const unsent = this.#unsent()
    const there = tops.filter((root) => this.#store.blocks.inPrefix(root))
    if (unsent.length > 0 && there.length > 0) await this.#hold(there)
    const held = this.#heldAmong(unsent)
    for (const key of held) this.#sent.add(key)
    const keys = unsent.filter((key) => !held.has(key))
    const known = roots.every((root) => this.#store.holds.find(root)?.isWhole(root))
    if (keys.length === 0 && known) return
    const { blocks } = this.#store
    const bytes = keys.reduce((sum, key) => sum + (blocks.size(rawCidOfKey(key)) ?? 0), 0)
    const request = { roots, bytes, blocks: () => read(blocks, keys) }
    this.#holds.add(await this.#store.holds.open(request))
    for (const key of keys) this.#sent.add(key)
  }

  /** What was not committed is uploaded too: it lies in the prefix until a collection, as what others add does. */
  override async finish(): Promise<void> {
    await this.#upload([], this.#built)
    // A turn of the event loop: the end of a connection that came before the link is known after it.
    await nextTurn()
    await this.#store.holds.renewLost()
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    super.close()
    for (const hold of this.#holds) hold.release()
    this.#holds.clear()
    this.#store.scratch.leave()
  }

  async #hold(cids: readonly CID[]): Promise<void> {
    const { holds } = this.#store
    await holds.renewLost()
    const others: CID[] = []
    for (const cid of cids) {
      const held = holds.find(cid)
      if (held === undefined) others.push(cid)
      else if (!this.#holds.has(held)) this.#holds.add(held.retain())
    }
    if (others.length > 0) this.#holds.add(await holds.open({ roots: others, bytes: 0, blocks: () => [] }))
  }

  /** Those that lie below DAGs which the daemon holds for this session as whole. */
  #heldAmong(keys: readonly BlockKey[]): Set<BlockKey> {
    const { blocks } = this.#store
    const there = new Set(keys.filter((key) => blocks.inPrefix(rawCidOfKey(key))))
    const held = new Set<BlockKey>()
    if (there.size === 0) return held
    const roots = [...this.#holds].flatMap((hold) => hold.wholeRoots)
    for (const cid of closure(this.store, roots, { onMissing: () => {} })) {
      const key = blockKey(cid)
      if (there.has(key)) held.add(key)
      if (held.size === there.size) break
    }
    return held
  }

  /** What this session, its threads included, has put and not uploaded: its temp pins say it, and what `has` was asked for. */
  #unsent(): BlockKey[] {
    const named = new Set(readTempPins(this.places).flatMap(({ blocks }) => blocks))
    return [...named].filter((key) => !this.#sent.has(key) && this.store.blocks.has(rawCidOfKey(key)))
  }

  #requireWhole(cid: CID): void {
    if (this.#store.holds.find(cid)?.isWhole(cid)) return
    // It says what is missing.
    requireComplete(this.store, cid)
    throw new PkgError('INCOMPLETE', `${cid} was not whole in ${this.store.paths.root}`, {
      hint: 'Add or import it again.',
    })
  }
}

function* read(blocks: BlockGetter, keys: readonly BlockKey[]): Generator<Block> {
  for (const key of keys) {
    const cid = rawCidOfKey(key)
    yield { cid, bytes: blocks.get(cid) }
  }
}
