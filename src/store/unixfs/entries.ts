// The entries of a plain directory, as they lie in its block: a block of 2 MiB can have
// 190,000 of them, and hostile DAGs nest such blocks, so an entry becomes an object only
// when it is asked for (invariant 7). All are checked when the directory is decoded.

import type { CID } from '../cid.ts'
import {
  checkHash,
  countLinks,
  type DagPbLink,
  type LinkParts,
  type LinkPlaces,
  linkAt,
  newLinkParts,
  readLinkParts,
  type ScannedNode,
} from '../links/dag-pb.ts'
import { exactText } from '../links/protobuf.ts'

/** Bytes of memory that a link takes beside the block. */
const LINK_BYTES = 16

export class DirectoryEntries {
  readonly length: number
  /** bytes of memory that they take */
  readonly weight: number
  readonly #bytes: Uint8Array
  readonly #places: LinkPlaces
  #looked = false
  #byName: Map<string, number> | undefined
  #repeated: ReadonlySet<number> | undefined

  /** Shares memory with the node. Throws BAD_NODE when one of the links is none. */
  constructor({ bytes, places }: ScannedNode) {
    this.#bytes = bytes
    this.#places = places
    this.length = countLinks(places)
    this.weight = bytes.length + LINK_BYTES * this.length
    for (const parts of this.#parts()) checkHash(bytes, parts)
  }

  at(index: number): DagPbLink {
    return linkAt(this.#bytes, this.#places, index)
  }

  *values(): Generator<DagPbLink> {
    for (let index = 0; index < this.length; index++) yield this.at(index)
  }

  /** The first entry of that name. Another look-up is cheap. */
  find(name: string): CID | undefined {
    if (!this.#looked) {
      this.#looked = true
      return this.#first(name)
    }
    this.#byName ??= this.#index()
    const index = this.#byName.get(name)
    return index === undefined ? undefined : this.at(index).hash
  }

  /** The numbers of those whose name an earlier one has too. */
  get repeated(): ReadonlySet<number> {
    if (this.#repeated !== undefined) return this.#repeated
    const repeated = new Set<number>()
    const names = new Set<string>()
    const bytes = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    let index = 0
    for (const { nameAt, nameEnd } of this.#parts()) {
      if (names.size === names.add(bytes.toString('latin1', nameAt, nameEnd)).size) repeated.add(index)
      index += 1
    }
    this.#repeated = repeated
    return repeated
  }

  #first(name: string): CID | undefined {
    const wanted = Buffer.from(name)
    let index = 0
    for (const { nameAt, nameEnd } of this.#parts()) {
      const isSame =
        nameEnd - nameAt === wanted.length && wanted.equals(this.#bytes.subarray(nameAt, nameEnd))
      // What is no text has the same bytes as one in which it is replaced.
      if (isSame && this.at(index).name === name) return this.at(index).hash
      index += 1
    }
    return undefined
  }

  #index(): Map<string, number> {
    const byName = new Map<string, number>()
    let index = 0
    for (const { nameAt, nameEnd } of this.#parts()) {
      const name = exactText(this.#bytes.subarray(nameAt, nameEnd))
      if (name !== undefined && !byName.has(name)) byName.set(name, index)
      index += 1
    }
    return byName
  }

  /** One object for all: where it is kept, it changes. */
  *#parts(): Generator<Readonly<LinkParts>> {
    const parts = newLinkParts()
    const from = { bytes: this.#bytes, at: 0, end: 0 }
    for (let place = 0; place < this.#places.length; place += 2) {
      from.at = this.#places[place] as number
      from.end = this.#places[place + 1] as number
      readLinkParts(from, parts)
      yield parts
    }
  }
}
