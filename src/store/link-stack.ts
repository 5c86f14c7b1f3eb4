// Where a walk through a DAG stands: the nodes that it is in the middle of, and how
// far it has come in each. Links are kept packed and made into CIDs one by one, for a
// block of 2 MiB may have 190,000 of them, and hostile DAGs nest such blocks (invariant
// 7). Beyond a bound those of the outermost nodes are let go, and read again when the
// walk comes back to them.

import { CID } from './cid.ts'

/** Bytes of packed links that are held at once: some 450,000 links. */
const HELD_BYTES = 16 * 1024 * 1024

type Frame = {
  /** undefined for the roots, which cannot be read again */
  node: CID | undefined
  packed: Uint8Array | undefined
  /** the next link's place */
  at: number
}

export class LinkStack {
  readonly #read: (node: CID) => readonly CID[]
  readonly #frames: Frame[]
  /** below this one all but the roots are let go */
  #firstHeld = 1
  #heldBytes = 0

  /** `read` gives a node's links, the same ones each time, or none where they cannot be had any more. */
  constructor(roots: Iterable<CID>, read: (node: CID) => readonly CID[]) {
    this.#read = read
    this.#frames = [{ node: undefined, packed: pack([...roots]), at: 0 }]
  }

  /** Goes into a node: its links come next. */
  enter(node: CID): void {
    const packed = pack(this.#read(node))
    if (packed.length > 0) this.#frames.push(this.#hold({ node, packed, at: 0 }))
  }

  /** The next link, depth first; undefined when there is none any more. */
  next(): CID | undefined {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      if (frame.packed === undefined) this.#bringBack(frame)
      const packed = frame.packed as Uint8Array
      if (frame.at < packed.length) {
        const [cid, rest] = CID.decodeFirst(packed.subarray(frame.at))
        frame.at = packed.length - rest.length
        return cid
      }
      this.#frames.pop()
      if (frame.node !== undefined) this.#heldBytes -= packed.length
    }
    return undefined
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
    frame.packed = pack(this.#read(frame.node as CID))
    this.#firstHeld = Math.min(this.#firstHeld, this.#frames.length - 1)
    this.#hold(frame)
  }
}

function pack(links: readonly CID[]): Uint8Array {
  return Buffer.concat(links.map((link) => link.bytes))
}
