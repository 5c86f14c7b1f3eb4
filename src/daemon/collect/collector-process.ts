// A collection in a process of its own: `--prefix DIR` names what it collects,
// `--options JSON` how (CollectionOptions without functions); `--measure UID` only
// how much the roots of one user reach. Says on standard
// output, as NDJSON, how it goes; the last line is the result or the error.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCollection } from '../../collector/collect.ts'
import type { CheckoutFigures } from '../../collector/dead-checkouts.ts'
import type { CollectionResult } from '../../collector/figures.ts'
import type { CollectionProgress } from '../../collector/options.ts'
import { codeOf, type ErrorCode, hasCode } from '../../errors.ts'
import { fixUmask } from '../../files/modes.ts'
import { storeMode } from '../../mount/mode.ts'
import { findHungMounts } from '../../pins/hung-mounts.ts'
import { readLinks } from '../../pins/links.ts'
import { ownerOfUserDirectory } from '../../pins/owners.ts'
import { listCheckouts } from '../../store/checkout/verify.ts'
import { blockKey } from '../../store/cid.ts'
import { closure } from '../../store/links/closure.ts'
import { Store } from '../../store/store.ts'
import { sizeOfCheckouts } from '../limits/files-size.ts'

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 200

/** What the daemon and a user are told of a collection: figures only. */
type Figures = Pick<CollectionResult, 'blocks' | 'bytes' | 'diskBytes' | 'young' | 'keptBlocks' | 'roots'>

/** An old generation whose link a collection deleted. */
export type DeletedGeneration = { profile: string; number: number; cid: string; created: string }

export type CollectLine =
  | ({ type: 'progress' } & CollectionProgress)
  /** for the log of the daemon, never for who asked: paths are others' */
  | ({ type: 'generation' } & DeletedGeneration)
  | ({ type: 'done' } & Figures & Partial<CheckoutFigures>)
  | { type: 'error'; code: ErrorCode; message: string; hint?: string }

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { prefix: text, options: text, measure: text } })
const say = (line: CollectLine) => process.stdout.write(`${JSON.stringify(line)}\n`)
const end = new AbortController()
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => end.abort())

fixUmask()
try {
  const store = Store.openExisting(values.prefix ?? '')
  if (values.measure === undefined) await collect(store)
  else await measure(store, Number(values.measure))
  store.close()
} catch (error) {
  const hint = hasCode(error, codeOf(error)) ? error.hint : undefined
  say({
    type: 'error',
    code: codeOf(error),
    message: String((error as Error).message),
    ...(hint && { hint }),
  })
}

async function collect(store: Store): Promise<void> {
  let next = 0
  const onProgress = (progress: CollectionProgress) => {
    if (performance.now() < next) return
    next = performance.now() + PROGRESS_MS
    say({ type: 'progress', ...progress })
  }
  const options = JSON.parse(values.options ?? '{}')
  const { blocks, bytes, diskBytes, young, keptBlocks, roots, ...result } = await runCollection(
    store,
    options.policy ?? {},
    {
      ...options,
      signal: end.signal,
      onProgress,
      onGeneration: ({ profile, number, cid, created }) =>
        say({ type: 'generation', profile, number, cid: String(cid), created: created.toISOString() }),
    },
  )
  const { checkouts, checkoutBytes, checkoutDiskBytes } = result
  const trees = { checkouts, checkoutBytes, checkoutDiskBytes }
  say({ type: 'done', blocks, bytes, diskBytes, young, keptBlocks, roots, ...trees })
}

/** What the user's links reach: each block once, and the trees that were made of it. Whose a link is says its directory. */
async function measure(store: Store, uid: number): Promise<void> {
  await findHungMounts(store.paths)
  const { pinsPerUser, profilesPerUser } = store.paths
  const owns = (user: string) =>
    [pinsPerUser, profilesPerUser].some((parent) => ownerOfUserDirectory(join(parent, user)) === uid)
  const users = new Map<string, boolean>()
  const own = readLinks(store.paths).roots.filter(({ user = '' }) => {
    if (!users.has(user)) users.set(user, owns(user))
    return users.get(user)
  })
  const reached = new Set<string>()
  const size = { blocks: 0, bytes: 0 }
  const roots = own.map(({ cid }) => cid)
  for (const cid of closure(store, roots, { onMissing: () => {} })) {
    reached.add(blockKey(cid))
    size.blocks += 1
    size.bytes += store.blocks.size(cid) ?? 0
  }
  if (storeMode(store.paths) === 'checkout') {
    size.bytes += sizeOfCheckouts(
      store,
      listCheckouts(store).filter((cid) => reached.has(blockKey(cid))),
    )
  }
  say({ type: 'done', ...size, diskBytes: 0, young: 0, keptBlocks: 0, roots: own.length })
}
