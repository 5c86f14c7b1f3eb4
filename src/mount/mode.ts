// How programs see the store of a prefix: through the mount, or, where nothing can
// be mounted (containers, CI), as real trees that are checked out when they are
// needed (store/checkout). Profiles, CIDs and blocks are the same in both.
//
// A mount that is served decides by itself: whatever lies below it is hidden then.

import { existsSync, statSync } from 'node:fs'
import { readConfig } from '../config.ts'
import { hasCode } from '../errors.ts'
import { mayWrite } from '../files/modes.ts'
import { runningProcess } from '../files/pid-file.ts'
import type { PrefixPaths } from '../paths.ts'
import { poolDirectory } from '../store/checkout/names.ts'
import { mountState } from './mountpoint.ts'
import { fuseObstacle } from './requirements.ts'

export type StoreMode = 'mount' | 'checkout'

export type ModeInForce = {
  mode: StoreMode
  /** in words: what decided */
  why: string
  /** what would make it a mount, where something could */
  hint?: string
  /** root decides and says nothing now: `mode` is what lets this user go on, and no trees are made */
  undecided?: true
}

type ModePaths = Pick<PrefixPaths, 'root' | 'config' | 'store' | 'mountPid' | 'daemonPid'>

/** The mode in force. Looks at /proc, the settings and the device; some 100 µs. Throws USAGE for wrong settings. */
export function storeMode(paths: ModePaths): StoreMode {
  return modeInForce(paths).mode
}

/**
 * The same, and why. In root's prefix what another user could mount says nothing: what
 * root's daemon left there does, and where it does not tell, nothing needs to be made.
 */
export function modeInForce(paths: ModePaths, uid = process.getuid?.() ?? 0): ModeInForce {
  const setting = readConfig(paths)['store.mode']
  if (mountState(paths) === 'mounted') {
    const later =
      setting === 'checkout' ? '; "store.mode" takes effect when it is not: `pkg daemon stop`' : ''
    return { mode: 'mount', why: `${paths.store} is mounted${later}` }
  }
  if (setting !== 'auto') return { mode: setting, why: `"store.mode" in ${paths.config} says so` }
  if (isOthersCheckout(paths)) {
    return { mode: 'checkout', why: `the owner of ${paths.store} has checkouts there` }
  }
  if (rootDecides(paths, uid)) {
    return { mode: 'mount', why: "root's daemon decides, and it does not run", undecided: true }
  }
  const obstacle = fuseObstacle()
  if (obstacle === undefined) return { mode: 'mount', why: 'this machine can mount' }
  const { detail, hint } = obstacle
  return { mode: 'checkout', why: `nothing can be mounted here: ${detail}`, ...(hint && { hint }) }
}

/** The same for who only tells how things are: settings that are wrong are told as well, and count as none. */
export function describeMode(paths: ModePaths): ModeInForce & { wrongSettings?: string } {
  try {
    return modeInForce(paths)
  } catch (error) {
    if (!hasCode(error, 'USAGE')) throw error
    return { mode: 'mount', why: error.message, wrongSettings: error.message }
  }
}

/** True in root's prefix, for others, while root's daemon does not run. */
function rootDecides({ root, daemonPid }: Pick<PrefixPaths, 'root' | 'daemonPid'>, uid: number): boolean {
  const isRoots = statSync(root, { throwIfNoEntry: false })?.uid === 0
  return isRoots && uid !== 0 && !runningProcess(daemonPid)
}

/** In a prefix that one may only read, its owner decides, and this is how it shows. */
function isOthersCheckout(paths: Pick<PrefixPaths, 'store'>): boolean {
  return existsSync(poolDirectory(paths)) && !mayWrite(paths.store)
}
