// Taking the newest root of the registries that one subscribes to. Each for itself:
// one that is gone or damaged spoils nothing for the others, and look-ups go on in
// its last known state.

import { existsSync } from 'node:fs'
import { codeOf, PkgError } from '../errors.ts'
import { shellWord, userName } from '../paths.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { lockSubscriptions, lookAtRoot, notSubscribed, takeRoot } from './subscribe.ts'
import { readSubscription, type Subscription, subscriptionNames } from './subscription.ts'

export type RegistryUpdate = {
  name: string
  /** false: `error` says why, and everything is as it was */
  ok: boolean
  /** the root in force; undefined when the subscription itself cannot be read */
  root: CID | undefined
  /** the root that was in force before */
  before: CID | undefined
  changed: boolean
  source: string | undefined
  error?: PkgError
}

export type UpdateOptions = {
  user?: string | undefined
  /** look only: what would be in force is told, and what is stays so */
  dryRun?: boolean | undefined
}

/**
 * Takes the newest root of these registries, or of all; gives one entry for each,
 * also for one that could not be updated. Throws NOT_FOUND, with nothing done, for a
 * name that is not subscribed to; NO_SPACE, INTERRUPTED.
 */
export async function updateRegistry(
  store: Store,
  names: readonly string[] = [],
  { user = userName(), dryRun = false }: UpdateOptions = {},
): Promise<RegistryUpdate[]> {
  const known = subscriptionNames(store.paths, user)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw notSubscribed(unknown)
  const updates: RegistryUpdate[] = []
  for (const name of names.length > 0 ? names : known)
    updates.push(await updateOne(store, name, { user, dryRun }))
  return updates
}

async function updateOne(
  store: Store,
  name: string,
  { user, dryRun }: { user: string; dryRun: boolean },
): Promise<RegistryUpdate> {
  let there: Subscription | undefined
  const entry = (root: CID | undefined) => ({ name, root, before: there?.root, source: there?.source })
  try {
    const update = async () => {
      there = readSubscription(store.paths, name, user)
      if (!there) throw notSubscribed(name)
      const root = dryRun ? await lookAtRoot(store, there.source) : (await takeRoot(store, there, user)).root
      return { ...entry(root), ok: true, changed: !root.equals(there.root) }
    }
    return dryRun ? await update() : await lockSubscriptions(store, user, update)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'INTERNAL' || code === 'INTERRUPTED' || code === 'NO_SPACE') throw error
    return { ...entry(there?.root), ok: false, changed: false, error: explain(error, name, there?.source) }
  }
}

/** The error as the subscriber needs it: whoever made the registry may be somebody else. */
function explain(error: unknown, name: string, source: string | undefined): PkgError {
  const code = codeOf(error)
  const { message } = error as Error
  if ((code !== 'BAD_REGISTRY' && code !== 'NOT_FOUND') || source === undefined) {
    return error instanceof PkgError ? error : new PkgError(code, message, { cause: error })
  }
  const hint = `\`pkg registry remove ${shellWord(name)}\` takes it away`
  const gone = tryParseCid(source) === undefined && !existsSync(source)
  return new PkgError(code, gone ? `${source} is gone` : message, { hint, cause: error })
}
