// Where a walk through a DAG stands: the nodes that it is in the middle of, and how
// far it has come in each. Links are kept packed, and made into CIDs only where somebody
// asks for one, for a block of 2 MiB may have 190,000 of them, and hostile DAGs nest such
// blocks (invariant 7). Beyond a bound those of the outermost nodes are let go, and read
// again when the walk comes back to them.

import { type BlockKey, CID, DAG_PB, IDENTITY, SHA2_256 } from '../cid.ts'
import { NO_LINKS, packLinks } from './packed-links.ts'

/** Bytes of packed links that are held at once: some 450,000 links. */
const HELD_BYTES = 16 * 1024 * 1024

type Frame = {
  /** undefined for the roots, which cannot be read again */
  node: CID | undefined
  packed: Buffer | undefined
  /** the next link's place */
  at: number
}

export class LinkStack {
  readonly #read: (node: CID) => Buffer
  readonly #frames: Frame[]
  /** below this one all but the roots are let go */
  #firstHeld = 1
  #heldBytes = 0
  /** the link: its bytes, and where the multihash begins in them */
  #packed: Buffer = NO_LINKS
  #at = 0
  #multihashAt = 0
  #end = 0
  /** the link's codec */
  codec = 0
  /** true when it is an identity CID, which has no block */
  isIdentity = false

  /** `read` gives a node's packed links, the same ones each time, or none where they cannot be had any more. */
  constructor(roots: Iterable<CID>, read: (node: CID) => Buffer) {
    this.#read = read
    this.#frames = [{ node: undefined, packed: packLinks([...roots]), at: 0 }]
  }

  /** The link's CID. */
  get cid(): CID {
    return CID.decode(this.#packed.subarray(this.#at, this.#end))
  }

  /** What the link's block is looked up by. */
  get key(): BlockKey {
    return this.#packed.toString('latin1', this.#multihashAt, this.#end)
  }

  /** The nodes that the walk is in the middle of, the outermost first: the last one has the link. */
  get nodes(): CID[] {
    return this.#frames.flatMap(({ node }) => node ?? [])
  }

  /** Goes into a node: its links come next. */
  enter(node: CID): void {
    const packed = this.#read(node)
    if (packed.length > 0) this.#frames.push(this.#hold({ node, packed, at: 0 }))
  }

  /** Goes on to the next link, depth first; false when there is none any more. */
  next(): boolean {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      if (frame.packed === undefined) this.#bringBack(frame)
      const packed = frame.packed as Buffer
      if (frame.at < packed.length) {
        this.#packed = packed
        this.#at = frame.at
        frame.at = this.#readLink(packed, frame.at)
        return true
      }
      this.#frames.pop()
      if (frame.node !== undefined) this.#heldBytes -= packed.length
    }
    return false
  }

  /** Gives where the link ends. */
  #readLink(packed: Buffer, at: number): number {
    const [version, codec, hash, length] = [packed[at], packed[at + 1], packed[at + 2], packed[at + 3]] as [
      number,
      number,
      number,
      number,
    ]
    const isShort = version === 1 && codec < 0x80 && hash < 0x80 && length < 0x80
    if (isShort) {
      this.codec = codec
      this.isIdentity = hash === IDENTITY
      this.#multihashAt = at + 2
      this.#end = at + 4 + length
    } else if (version === SHA2_256 && codec === 32) {
      // A CIDv0 is a multihash.
      this.codec = DAG_PB
      this.isIdentity = false
      this.#multihashAt = at
      this.#end = at + 34
    } else {
      const [cid, rest] = CID.decodeFirst(packed.subarray(at))
      this.codec = cid.code
      this.isIdentity = cid.multihash.code === IDENTITY
      this.#end = packed.length - rest.length
      this.#multihashAt = this.#end - cid.multihash.bytes.length
    }
    return this.#end
  }

  #hold(frame: Frame): Frame {
    this.#heldBytes += frame.packed?.length ?? 0
    while (this.#heldBytes > HELD_BYTES && this.#firstHeld < this.#frames.length) {
      const outer = this.#frames[this.#firstHeld++] as Frame
      this.#heldBytes -= outer.packed?.length ?? 0
      outer.packed = undefined
    }
    return frame
  }

  /** The innermost node's links, which were let go. */
  #bringBack(frame: Frame): void {
    frame.packed = this.#read(frame.node as CID)
    this.#firstHeld = Math.min(this.#firstHeld, this.#frames.length - 1)
    this.#hold(frame)
  }
}
