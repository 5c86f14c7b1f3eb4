// What the daemon holds for this process, shared by its sessions: a session inside
// another one need not ask again for what that one has protected.

import { PkgError } from '../../errors.ts'
import { type BlockKey, blockKey, type CID } from '../cid.ts'
import type { Upload, Uploader, UploadRequest } from './uploader.ts'

export class Holds {
  readonly #uploader: Uploader
  readonly #open = new Set<Hold>()

  constructor(uploader: Uploader) {
    this.#uploader = uploader
  }

  /** The hold that protects this root now, a whole one before others. */
  find(root: CID): Hold | undefined {
    const holding = [...this.#open].filter((hold) => hold.holds(root))
    return holding.find((hold) => hold.isWhole(root)) ?? holding[0]
  }

  /**
   * Has what a daemon that ended took with it protected, and uploaded, again. Throws what
   * uploading does, and INCOMPLETE when a collection took in between what was not ours to upload.
   */
  async renewLost(): Promise<void> {
    for (const hold of this.#open) await hold.renew()
  }

  /** Uploads; the hold is the caller's to release. Throws what the uploader does. */
  async open(request: UploadRequest): Promise<Hold> {
    const upload = await this.#uploader.upload(request)
    const hold = new Hold({ request, upload, uploader: this.#uploader, ended: () => this.#open.delete(hold) })
    this.#open.add(hold)
    return hold
  }
}

type HoldParts = { request: UploadRequest; upload: Upload; uploader: Uploader; ended: () => void }

export class Hold {
  readonly #parts: HoldParts
  readonly #roots: ReadonlySet<BlockKey>
  readonly #whole: ReadonlySet<BlockKey>
  #upload: Upload
  #users = 1
  #renewing: Promise<void> | undefined

  constructor(parts: HoldParts) {
    this.#parts = parts
    this.#upload = parts.upload
    this.#roots = keysOf(parts.request.roots)
    this.#whole = keysOf(parts.upload.whole)
  }

  holds(root: CID): boolean {
    return !this.#upload.lost && this.#roots.has(blockKey(root))
  }

  isWhole(root: CID): boolean {
    return !this.#upload.lost && this.#whole.has(blockKey(root))
  }

  /** The roots that are whole in the prefix and stay so, as long as somebody has this hold. */
  get wholeRoots(): readonly CID[] {
    return this.#upload.lost
      ? []
      : this.#parts.request.roots.filter((root) => this.#whole.has(blockKey(root)))
  }

  /** One more user; each releases it once. */
  retain(): this {
    this.#users += 1
    return this
  }

  release(): void {
    this.#users -= 1
    if (this.#users > 0) return
    this.#upload.close()
    this.#parts.ended()
  }

  /** Nothing happens where it is not lost. Sessions at once wait for the same. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renew(): Promise<void> {
    if (!this.#upload.lost || this.#users === 0) return
    const { request, uploader } = this.#parts
    const upload = await uploader.upload(request)
    const whole = keysOf(upload.whole)
    const gone = request.roots.find((root) => this.#whole.has(blockKey(root)) && !whole.has(blockKey(root)))
    if (gone === undefined && this.#users > 0) {
      this.#upload = upload
      return
    }
    upload.close()
    if (gone === undefined) return
    throw new PkgError('INCOMPLETE', `${gone} was collected while the daemon was away`, {
      hint: 'Add it again.',
    })
  }
}

function keysOf(cids: Iterable<CID>): ReadonlySet<BlockKey> {
  return new Set(Array.from(cids, blockKey))
}
