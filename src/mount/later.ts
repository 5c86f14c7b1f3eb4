// Values that are here now or come later: most requests of a warm mount are answered from
// memory, and need no promise. And the one way to go on after a block that was not in memory.

import { PkgError } from '../errors.ts'
import type { CID } from '../store/cid.ts'

/** Errors are thrown or rejected. */
export type Later<T> = T | Promise<T>

/** Thrown for a block that is not in memory: no error, the computation goes on when it is (`retry`). */
export class NotLoaded {
  readonly cid: CID

  constructor(cid: CID) {
    this.cid = cid
  }
}

/** `use` of the value, at once when it is here. */
export function then<T, U>(value: Later<T>, use: (value: T) => Later<U>): Later<U> {
  return value instanceof Promise ? value.then(use) : use(value)
}

/**
 * What `compute` gives: at once if all its blocks are in memory, else as a promise.
 * For each block that it lacks `bring` is called, and `compute` runs again when that has
 * settled, before the event loop goes on; so it must be free of side effects, or go on
 * where it stopped.
 */
export function retry<T>(compute: () => Later<T>, bring: (cid: CID) => Promise<unknown>): Later<T> {
  try {
    return compute()
  } catch (error) {
    if (!(error instanceof NotLoaded)) throw error
    return retryLater(compute, bring, error)
  }
}

async function retryLater<T>(
  compute: () => Later<T>,
  bring: (cid: CID) => Promise<unknown>,
  first: NotLoaded,
): Promise<T> {
  for (let lacking = first; ; ) {
    await bring(lacking.cid)
    try {
      return await compute()
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error
      lacking = error
    }
  }
}

/**
 * What `compute` gives; undefined where it lacks a block or meets a bad one: for who only
 * guesses what comes next. The read itself brings the block, or fails.
 */
export function guess<T>(compute: () => T): T | undefined {
  try {
    return compute()
  } catch (error) {
    if (error instanceof NotLoaded || error instanceof PkgError) return undefined
    throw error
  }
}
