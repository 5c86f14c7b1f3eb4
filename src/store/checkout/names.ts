// What lies in `<prefix>/store` in checkout mode, and what it is called.
//
//   <cid>                 a checkout: whole, flushed, never changed; the CIDv1 in base32, as our links have it
//   .files/<cid>          one inode for each file, shared by all checkouts through hard links (pool.ts)
//   .tmp-<process>-…      what a living process is making; a dead one's is rubbish
//   .dead-…               what a collector took away and has not removed yet

import { randomBytes } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { bootId, lifeOf, namespaceDigits, processStart } from '../../files/process-id.ts'
import type { PrefixPaths } from '../../paths.ts'
import { type CID, tryParseCid } from '../cid.ts'

type StorePaths = Pick<PrefixPaths, 'store'>

/** pid, start time, namespace, the boot's first digits, nonce */
const TEMP = /^\.tmp-(\d+)-([^-]+)-(\d+)-([0-9a-f]+)-[0-9a-f]+$/
const DEAD = '.dead-'

/** The name of a checkout. Other spellings of the CID, which a mount knows, have none. */
export function checkoutName(cid: CID): string {
  return cid.toV1().toString()
}

export function checkoutPath({ store }: StorePaths, cid: CID): string {
  return join(store, checkoutName(cid))
}

/** The CID that a name in `store` is a checkout of; undefined for any other name. */
export function cidOfCheckout(name: string): CID | undefined {
  const cid = name.startsWith('.') ? undefined : tryParseCid(name)
  return cid && checkoutName(cid) === name ? cid : undefined
}

/** True when the checkout is there, and so is whole. Not to be asked where a mount covers `store`. */
export function isCheckedOut(paths: StorePaths, cid: CID): boolean {
  return lstatSync(checkoutPath(paths, cid), { throwIfNoEntry: false }) !== undefined
}

export function poolDirectory({ store }: StorePaths): string {
  return join(store, '.files')
}

/** A new place for this process to make a tree in. */
export function temporaryTree({ store }: StorePaths): string {
  const { pid } = process
  const nonce = randomBytes(6).toString('hex')
  return join(store, `.tmp-${pid}-${processStart(pid)}-${namespaceDigits()}-${bootDigits()}-${nonce}`)
}

/** A new name for what is to be removed. */
export function deadTree({ store }: StorePaths): string {
  return join(store, `${DEAD}${randomBytes(9).toString('hex')}`)
}

/** True for what nobody makes any more: a dead process's unfinished tree, or one that was taken away. */
export function isRubbish(name: string): boolean {
  if (name.startsWith(DEAD)) return true
  const found = TEMP.exec(name) as [string, string, string, string, string] | null
  if (found === null) return false
  const [, pid, start, namespace, boot] = found
  if (boot !== bootDigits()) return true
  return lifeOf({ pid: Number(pid), start, namespace, boot: bootId() }) === 'gone'
}

function bootDigits(): string {
  return bootId().slice(0, 8)
}
