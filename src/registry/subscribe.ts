// Subscribing to a registry, and unsubscribing; update.ts takes newer roots.
// Order (invariants 2 and 4): pin the new root, write the subscription, only then
// unpin the old one. A kill in between leaves at worst a pin too many, which the
// next update takes away.

import { join, resolve } from 'node:path'
import { PkgError } from '../errors.ts'
import { makePrefixDirectory } from '../files/directory.ts'
import { failpoint } from '../files/failpoint.ts'
import { withLock } from '../files/lock.ts'
import { shellWord, userName } from '../paths.ts'
import { addPin, listPins, removePin } from '../pins/pins.ts'
import { type AddSession, withAdd } from '../store/add/add.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import { withRoomToRemove } from '../store/room.ts'
import type { Store } from '../store/store.ts'
import { keepRegistry, openRegistry } from './directory.ts'
import {
  deleteSubscription,
  readSubscription,
  readSubscriptions,
  type Subscription,
  subscriptionPin,
  subscriptionsDirectory,
  writeSubscription,
} from './subscription.ts'
import { readHeader } from './tree.ts'

export type AddRegistryOptions = {
  /** what to call it */
  name: string
  /** a registry's directory, or a root CID */
  source: string
  user?: string | undefined
}

/**
 * Subscribes the user to a registry under a name of their own.
 * Throws EXISTS when the name is taken by another source, BAD_REGISTRY, INCOMPLETE, BAD_NAME.
 */
export async function addRegistry(
  store: Store,
  { name, source, user = userName() }: AddRegistryOptions,
): Promise<Subscription> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    throw new PkgError(
      'USAGE',
      `${source} is an address, and registries are not fetched from the network yet`,
      {
        hint: 'Name a directory, or the CID of a registry whose blocks are here (pkg store import).',
      },
    )
  }
  const place = tryParseCid(source) ? source : resolve(source)
  return lockSubscriptions(store, user, async () => {
    const there = readSubscription(store.paths, name, user)
    if (there && there.source !== place) {
      throw new PkgError('EXISTS', `the registry ${name} is ${there.source} already`, {
        hint: `Choose another name, or take that one away: pkg registry remove ${shellWord(name)}`,
      })
    }
    return takeRoot(store, { name, source: place, added: there?.added ?? new Date() }, user)
  })
}

/** Ends a subscription. What is installed stays. Throws NOT_FOUND. */
export async function removeRegistry(
  store: Store,
  name: string,
  { user = userName() }: { user?: string | undefined } = {},
): Promise<void> {
  const remove = async () => {
    if (!deleteSubscription(store.paths, name, user)) throw notSubscribed(name)
    await unpinOthers(store, name, user, undefined)
  }
  await withRoomToRemove(store.paths, () => lockSubscriptions(store, user, remove))
}

/** A user's subscriptions in the order in which they are asked. */
export function listRegistries(
  store: Pick<Store, 'paths'>,
  { user }: { user?: string | undefined } = {},
): Subscription[] {
  return readSubscriptions(store.paths, user)
}

/** The root that `takeRoot` would make the one in force; writes nothing. Throws what that does. */
export async function lookAtRoot(store: Store, source: string): Promise<CID> {
  const root = (tryParseCid(source) ?? openRegistry(store, source).root).toV1()
  return withAdd(store, async (add) => {
    await requireRegistry(add, root)
    return root
  })
}

/** Its publisher may be moving on, and a collector run, while we read it. */
async function requireRegistry(add: AddSession, root: CID): Promise<void> {
  await add.rely(root)
  readHeader(add.store.blocks, root)
}

/** Makes the registry's newest root the one in force. The caller holds the lock. Throws what `addRegistry` does. */
export async function takeRoot(
  store: Store,
  { name, source, added }: Pick<Subscription, 'name' | 'source' | 'added'>,
  user: string,
): Promise<Subscription> {
  return withAdd(store, async (add) => {
    const root = (tryParseCid(source) ?? (await keepRegistry(store, source, add)).root).toV1()
    await requireRegistry(add, root)
    await addPin(store, { prog: subscriptionPin(name), cid: root, user })
    failpoint('registry:subscription-pinned')
    const subscription = { name, source, root, added, updated: new Date() }
    writeSubscription(store.paths, subscription, user)
    failpoint('registry:subscription-written')
    await unpinOthers(store, name, user, root)
    return subscription
  })
}

async function unpinOthers(store: Store, name: string, user: string, kept: CID | undefined): Promise<void> {
  const prog = subscriptionPin(name)
  for (const pin of await listPins(store, { user })) {
    const old = pin.prog === prog && !(kept && pin.cid.equals(kept))
    if (old) await removePin(store, { prog, cid: pin.cid, user })
  }
}

/** Runs `fn` while nobody else changes the user's subscriptions. Throws BUSY. */
export async function lockSubscriptions<T>(store: Store, user: string, fn: () => Promise<T>): Promise<T> {
  const directory = subscriptionsDirectory(store.paths, user)
  makePrefixDirectory(directory)
  return withLock(join(directory, 'lock'), fn)
}

export function notSubscribed(name: string): PkgError {
  return new PkgError('NOT_FOUND', `there is no registry ${JSON.stringify(name)}`, {
    hint: '`pkg registry list` shows those that there are.',
  })
}
