// One at a time, and everybody in turn: work that users ask for waits by user, and after
// each piece of work it is the next user's turn. Who asks a thousand times, or for a lot
// in many pieces, makes nobody else wait for more than a piece.

/** Starts work that was waiting. */
type Waiting = { begin: () => void }

export class Turns {
  /** by uid; whose turn comes next is the first */
  readonly #waiting = new Map<number, Waiting[]>()
  #busy = false

  /** Runs `fn` when it is this user's turn, and gives what it gives. Throws the signal's reason while it waits. */
  async take<T>(uid: number, signal: AbortSignal, fn: () => Promise<T>): Promise<T> {
    await this.#turn(uid, signal)
    try {
      return await fn()
    } finally {
      this.#next()
    }
  }

  async #turn(uid: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (!this.#busy) {
      this.#busy = true
      return
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#remove(uid, one)
        reject(signal.reason)
      }
      const one: Waiting = {
        begin: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      const own = this.#waiting.get(uid)
      if (own) own.push(one)
      else this.#waiting.set(uid, [one])
    })
  }

  #next(): void {
    const first = this.#waiting.entries().next().value
    if (first === undefined) {
      this.#busy = false
      return
    }
    const [uid, own] = first
    const one = own.shift() as Waiting
    this.#waiting.delete(uid)
    // Behind all others that wait.
    if (own.length > 0) this.#waiting.set(uid, own)
    one.begin()
  }

  #remove(uid: number, one: Waiting): void {
    const own = this.#waiting.get(uid)?.filter((other) => other !== one) ?? []
    if (own.length === 0) this.#waiting.delete(uid)
    else this.#waiting.set(uid, own)
  }
}
