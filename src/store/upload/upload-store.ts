// The store of a user who may read the prefix and not write it: it reads the prefix,
// and what its sessions have built and not uploaded yet. Links between blocks are read
// from the blocks: the owner's index is the owner's.

import type { PrefixPaths } from '../../paths.ts'
import { blockFileSize } from '../blocks/block-file.ts'
import { Blocks } from '../blocks/blocks.ts'
import { blockFile } from '../blocks/shards.ts'
import type { CID } from '../cid.ts'
import { Store } from '../store.ts'
import { Holds } from './holds.ts'
import { Scratch } from './scratch.ts'
import { UploadSession } from './session.ts'
import type { Uploader } from './uploader.ts'

export class UploadStore extends Store {
  readonly scratch: Scratch
  readonly holds: Holds
  declare readonly blocks: ScratchedBlocks

  /** A prefix that is there (see `requirePrefix`), and the way to its daemon. */
  constructor(paths: PrefixPaths, uploader: Uploader) {
    const scratch = new Scratch()
    super(paths, { blocks: new ScratchedBlocks(paths, scratch), index: ':memory:' })
    this.scratch = scratch
    this.holds = new Holds(uploader)
  }

  override openAdd(): UploadSession {
    return new UploadSession(this)
  }
}

class ScratchedBlocks extends Blocks {
  readonly #scratch: Scratch

  constructor(paths: PrefixPaths, scratch: Scratch) {
    super(paths)
    this.#scratch = scratch
  }

  override file(cid: CID): string {
    const { blocks } = this.#scratch
    return blocks !== undefined && this.inScratch(cid) ? blockFile(blocks, cid) : super.file(cid)
  }

  /** Where it goes in the end, whoever brought it there; a file of another length than ours is what a crash left. */
  inPrefix(cid: CID): boolean {
    const size = blockFileSize(super.file(cid))
    return size !== undefined && size === blockFileSize(this.file(cid))
  }

  inScratch(cid: CID): boolean {
    const { blocks } = this.#scratch
    return blocks !== undefined && blockFileSize(blockFile(blocks, cid)) !== undefined
  }
}
