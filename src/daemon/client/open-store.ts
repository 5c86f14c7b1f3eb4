// A store to add to, whoever asks: opened directly where this user may write the
// prefix, else by way of its daemon, which is the owner's.

import { statSync } from 'node:fs'
import { hasCode } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { CheckOutOptions } from '../../store/checkout/check-out.ts'
import type { CID } from '../../store/cid.ts'
import { makePrefix, requireAddable, requirePrefix } from '../../store/prefix.ts'
import { Store } from '../../store/store.ts'
import type { UploaderOptions } from './upload.ts'

export type OpenOptions = UploaderOptions & {
  /** make a prefix where none is */
  create?: boolean
}

/**
 * Opens a prefix to add to it. Throws as `Store.open`; PERMISSION where this user may
 * not write it and nobody else serves it; NO_DAEMON where its owner's daemon does not run.
 */
export async function openStore(
  paths: PrefixPaths,
  { create = true, ...options }: OpenOptions = {},
): Promise<Store> {
  try {
    if (create) return Store.open(paths.root)
    requireAddable(paths)
    return Store.openExisting(paths.root)
  } catch (error) {
    if (!hasCode(error, 'PERMISSION') || !isSystemWide(paths)) throw error
  }
  // Loaded here: whoever may write the prefix needs neither HTTP nor this.
  const [{ isKnown, sayHello }, { UploadStore }, { createUploader }, { makeCheckouts }] = await Promise.all([
    import('./hello.ts'),
    import('../../store/upload/upload-store.ts'),
    import('./upload.ts'),
    import('./checkout.ts'),
  ])
  if (!isKnown(paths)) await sayHello(paths)
  return Object.assign(new UploadStore(paths, createUploader(paths, options)), {
    makeCheckouts: (cids: readonly CID[], how: CheckOutOptions) => makeCheckouts(paths, cids, how),
  })
}

/**
 * Makes the prefix; where it is root's, what this user needs in it. Idempotent. Throws as
 * `makePrefix`, and NO_DAEMON.
 */
export async function preparePrefix(paths: PrefixPaths): Promise<void> {
  try {
    makePrefix(paths)
  } catch (error) {
    if (!hasCode(error, 'PERMISSION') || !isSystemWide(paths)) throw error
    const { sayHello } = await import('./hello.ts')
    await sayHello(paths)
  }
}

/**
 * True for a prefix of root's, asked for by somebody else: its daemon adds for them. Nobody
 * else's daemon does, and nobody else is to be trusted with the links that PATH goes through.
 */
export function isSystemWide(paths: PrefixPaths): boolean {
  if (process.getuid?.() === 0 || statSync(paths.root, { throwIfNoEntry: false })?.uid !== 0) return false
  requirePrefix(paths)
  return true
}
