// Has the daemon make checkouts, where this user may not write the store (daemon/api/checkout.ts).

import { PkgError } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { CheckOutOptions } from '../../store/checkout/check-out.ts'
import type { CID } from '../../store/cid.ts'
import { refusal } from '../http.ts'
import { askAsUser, linesOf } from './user-request.ts'

/** Returns when they are there. Throws NO_DAEMON, and what the daemon fails with. */
export async function makeCheckouts(
  paths: PrefixPaths,
  cids: readonly CID[],
  { signal, onProgress }: CheckOutOptions = {},
): Promise<void> {
  const query = cids.map((cid) => `cid=${cid}`).join('&')
  const { req, response } = await askAsUser(paths, `/v1/checkout?${query}`)
  const abort = () => req.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    req.end()
    for await (const text of linesOf(await response)) {
      const line = JSON.parse(text) as { type?: string; bytes: number }
      if (line.type === 'done') return
      if (line.type !== 'progress') throw refusal(line as unknown as Parameters<typeof refusal>[0])
      onProgress?.(line)
    }
    throw new Error('the answer ended early')
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof PkgError) throw error
    throw new PkgError('NO_DAEMON', `the daemon of ${paths.root} went away while it checked out`, {
      hint: 'Try again.',
      cause: error,
    })
  } finally {
    signal?.removeEventListener('abort', abort)
    req.destroy()
  }
}
