// The directories that a walk through a tree is in the middle of, each with something of
// the walk's own. Beyond a bound the entries of the outermost ones are let go, and read
// again when the walk comes back to them: a directory's block may have 2 MiB, and hostile
// DAGs nest such blocks (invariant 7).

import type { Entry, Listing } from './directory.ts'

/** Bytes of entries that are held at once. */
const HELD_BYTES = 16 * 1024 * 1024

export class ListingStack<T> {
  readonly #frames: { listing: Listing; own: T }[] = []
  /** below this one all are let go */
  #firstHeld = 0
  #heldBytes = 0

  push(listing: Listing, own: T): void {
    this.#frames.push({ listing, own })
    this.#hold(listing.weight)
  }

  /** What belongs to the innermost directory; undefined when there is none. */
  get top(): T | undefined {
    return this.#frames.at(-1)?.own
  }

  /** The innermost directory's next entry; undefined at its end. Throws as `Listing.next`. */
  next(): Entry | undefined {
    const { listing } = this.#frames.at(-1) as { listing: Listing }
    const held = listing.weight
    const entry = listing.next()
    if (listing.weight !== held) this.#hold(listing.weight - held)
    return entry
  }

  pop(): void {
    this.#heldBytes -= this.#frames.pop()?.listing.weight ?? 0
  }

  /** The innermost directory has so many bytes more. */
  #hold(bytes: number): void {
    const innermost = this.#frames.length - 1
    this.#firstHeld = Math.min(this.#firstHeld, innermost)
    this.#heldBytes += bytes
    while (this.#heldBytes > HELD_BYTES && this.#firstHeld < innermost) {
      const { listing } = this.#frames[this.#firstHeld++] as { listing: Listing }
      this.#heldBytes -= listing.weight
      listing.letGo()
    }
  }
}
