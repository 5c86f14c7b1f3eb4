// A collection for whoever asks: run by this process where it may delete, else by the
// daemon (daemon/api/collections.ts). The generations that a policy lets go are the user's own
// there, and deleted by the user's own process: the daemon takes no policy from users.

import { runCollection } from '../../collector/collect.ts'
import { NO_CHECKOUTS } from '../../collector/dead-checkouts.ts'
import type { CollectionResult } from '../../collector/figures.ts'
import { deleteOldGenerations } from '../../collector/old-generations.ts'
import type { CollectionOptions } from '../../collector/options.ts'
import type { RetentionPolicy } from '../../collector/retention.ts'
import { PkgError } from '../../errors.ts'
import { mayWrite } from '../../files/modes.ts'
import { userName } from '../../paths.ts'
import type { Store } from '../../store/store.ts'
import type { CollectLine } from '../collect/collector-process.ts'
import { refusal } from '../http.ts'
import { askAsUser, linesOf } from './user-request.ts'

/** What only the owner of the store can ask for. */
const OWNERS = ['despiteDamage', 'maxFreedBytes', 'ensureFreeBytes', 'graceMs'] as const

/**
 * As `runCollection`. In a prefix that this user may not write the policy means this
 * user's generations only. Throws what that does, NO_DAEMON, and PERMISSION for options that are the owner's.
 */
export async function collect(
  store: Store,
  policy: RetentionPolicy = {},
  options: CollectionOptions = {},
): Promise<CollectionResult> {
  if (mayWrite(store.paths.blocks)) return runCollection(store, policy, options)
  const refused = OWNERS.find((name) => options[name] !== undefined && options[name] !== false)
  if (refused !== undefined) {
    throw new PkgError(
      'PERMISSION',
      `only the owner of ${store.paths.root} may choose what a collection of it spares or gives up`,
      {
        hint: 'Collect without that option, or as the owner.',
      },
    )
  }
  if (options.dryRun) return runCollection(store, policy, { ...options, policyUser: userName() })
  const {
    deleted: generations,
    kept,
    skipped,
  } = await deleteOldGenerations(store, policy, { user: userName() })
  const done = await askForCollection(store, options)
  const nobodyTells = {
    gone: [],
    dead: [],
    claimed: 0,
    unreadable: [],
    deniedProcesses: 0,
    deniedFirst: [],
    stuckProcesses: [],
  }
  // A daemon of an earlier version tells nothing of checkouts, nor what files took on the disk.
  const figures = { ...NO_CHECKOUTS, diskBytes: done.bytes, young: 0, ...done }
  return {
    dryRun: false,
    ...figures,
    generations,
    kept,
    skipped,
    ...nobodyTells,
    incomplete: [],
    damaged: [],
  }
}

type Figures = Pick<CollectionResult, 'blocks' | 'bytes' | 'keptBlocks' | 'roots'> &
  Partial<Pick<CollectionResult, 'diskBytes' | 'young'>>

async function askForCollection(
  { paths }: Pick<Store, 'paths'>,
  { signal, onProgress }: Pick<CollectionOptions, 'signal' | 'onProgress'>,
): Promise<Figures> {
  const { req, response } = await askAsUser(paths, '/v1/collect')
  const abort = () => req.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    req.end()
    for await (const text of linesOf(await response)) {
      const { type, ...line } = JSON.parse(text) as CollectLine
      if (type === 'progress') onProgress?.(line as Parameters<NonNullable<typeof onProgress>>[0])
      else if (type === 'done') return line as Figures
      else throw refusal(line as CollectLine & { type: 'error' })
    }
    throw new Error('the answer ended early')
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof PkgError) throw error
    throw new PkgError('NO_DAEMON', `the daemon of ${paths.root} went away while it collected`, {
      hint: 'Try again.',
      cause: error,
    })
  } finally {
    signal?.removeEventListener('abort', abort)
    req.destroy()
  }
}
