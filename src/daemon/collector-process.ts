// A collection in a process of its own: `--prefix DIR` names what it collects,
// `--options JSON` how (CollectionOptions without functions). Says on standard
// output, as NDJSON, how it goes; the last line is the result or the error.

import { parseArgs } from 'node:util'
import { codeOf, type ErrorCode, hasCode } from '../errors.ts'
import { fixUmask } from '../files/modes.ts'
import { runCollection } from '../pins/collect.ts'
import type { CollectionProgress } from '../pins/plan.ts'
import { Store } from '../store/store.ts'

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 200

export type CollectLine =
  | ({ type: 'progress' } & CollectionProgress)
  | { type: 'done'; blocks: number; bytes: number; keptBlocks: number; roots: number }
  | { type: 'error'; code: ErrorCode; message: string; hint?: string }

const { values } = parseArgs({ options: { prefix: { type: 'string' }, options: { type: 'string' } } })
const say = (line: CollectLine) => process.stdout.write(`${JSON.stringify(line)}\n`)
const end = new AbortController()
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => end.abort())

fixUmask()
try {
  const store = Store.openExisting(values.prefix ?? '')
  let next = 0
  const onProgress = (progress: CollectionProgress) => {
    if (Date.now() < next) return
    next = Date.now() + PROGRESS_MS
    say({ type: 'progress', ...progress })
  }
  const options = JSON.parse(values.options ?? '{}')
  const { blocks, bytes, keptBlocks, roots } = await runCollection(store, options.policy ?? {}, {
    ...options,
    signal: end.signal,
    onProgress,
  })
  store.close()
  say({ type: 'done', blocks, bytes, keptBlocks, roots })
} catch (error) {
  const hint = hasCode(error, codeOf(error)) ? error.hint : undefined
  say({
    type: 'error',
    code: codeOf(error),
    message: String((error as Error).message),
    ...(hint && { hint }),
  })
}
