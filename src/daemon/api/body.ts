// A request's body as a stream that can be left in the middle with the connection
// still there: the client is told what is wrong, and not only cut off.

import type { IncomingMessage, ServerResponse } from 'node:http'

/** Milliseconds for a client that still sends to read the answer. */
const LINGER_MS = 1000

/** The bytes of the body. Throws the signal's reason when it is aborted, also while nothing comes. */
export async function* bodyOf(req: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = req.iterator({ destroyOnReturn: false })
  let fail: (reason: unknown) => void = () => {}
  const leave = () => fail(signal.reason)
  signal.addEventListener('abort', leave)
  try {
    for (;;) {
      signal.throwIfAborted()
      // Not a race with one promise for all of them: that would keep every chunk until its end.
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject
        chunks.next().then(resolve, reject)
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** Ends the answer. What the client still sends is thrown away for a moment, then the connection is cut. */
export function letGo(req: IncomingMessage, res: ServerResponse): void {
  res.end()
  if (req.complete || req.destroyed) return
  req.on('error', () => {})
  req.resume()
  setTimeout(() => req.complete || req.destroy(), LINGER_MS).unref()
}
