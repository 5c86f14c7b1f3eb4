// What lost blocks belong to: from roots that are not whole to the packages and
// environments in them, which have names, and about which a user can do something.

import { PkgError } from '../errors.ts'
import { readManifest } from '../packages/package.ts'
import type { Root } from '../pins/root.ts'
import { type BlockKey, blockKey, type CID } from '../store/cid.ts'
import { closure } from '../store/links/closure.ts'
import type { Store } from '../store/store.ts'
import { tryReadEnvironment } from './environment.ts'

/** A DAG that is not whole, and the roots that need it. */
export type Loss = {
  /** `environment`: of a generation, apart from its packages; `dag`: something else that a root keeps */
  kind: 'package' | 'environment' | 'dag'
  cid: CID
  lost: CID[]
  neededBy: Root[]
  /** of a package */
  name?: string
  version?: string
  /** as it was asked for, where it is installed */
  requested?: string
}

/**
 * Splits what roots lack by what it belongs to, each once however many roots need it:
 * packages, then the rest. `incomplete` has every root of `all` that is not whole. Changes nothing.
 */
export function nameLosses(
  store: Store,
  incomplete: readonly { cid: CID; missing: readonly CID[] }[],
  all: readonly Root[],
): Loss[] {
  const packages = new Map<BlockKey, Loss>()
  const rest: Loss[] = []
  const below = new Map<BlockKey, Set<BlockKey>>()
  const reached = (cid: CID) => {
    const known = below.get(blockKey(cid)) ?? keysBelow(store, cid)
    below.set(blockKey(cid), known)
    return known
  }
  const needing = ({ cid }: { cid: CID }) => all.filter((root) => root.cid.equals(cid))
  const isEnvironment = (root: { cid: CID }) => needing(root).some(({ profile }) => profile !== undefined)
  const note = (loss: Loss) => {
    const entry = packages.get(blockKey(loss.cid))
    if (entry === undefined) packages.set(blockKey(loss.cid), loss)
    else entry.neededBy.push(...loss.neededBy.filter((root) => !entry.neededBy.includes(root)))
  }
  for (const root of incomplete.filter(isEnvironment)) {
    let own = [...root.missing]
    for (const { name, version, cid, requested } of tryReadEnvironment(store.blocks, root.cid) ?? []) {
      const keys = reached(cid)
      const lost = root.missing.filter((one) => keys.has(blockKey(one)))
      if (lost.length === 0) continue
      own = own.filter((one) => !keys.has(blockKey(one)))
      note({ kind: 'package', name, version, requested, cid, lost, neededBy: needing(root) })
    }
    if (own.length > 0) {
      rest.push({ kind: 'environment', cid: root.cid, lost: own, neededBy: needing(root) })
    }
  }
  for (const root of incomplete.filter((one) => !isEnvironment(one))) {
    const loss = { cid: root.cid, lost: [...root.missing], neededBy: needing(root) }
    const known = packages.get(blockKey(root.cid))
    const named = known ?? tryReadName(store, root.cid)
    if (named?.name === undefined) rest.push({ kind: 'dag', ...loss })
    else note({ ...loss, kind: 'package', name: named.name, version: named.version ?? '' })
  }
  return [...packages.values(), ...rest]
}

function keysBelow(store: Store, cid: CID): Set<BlockKey> {
  return new Set(Array.from(closure(store, [cid], { onMissing: () => {} }), blockKey))
}

function tryReadName(store: Store, cid: CID): { name?: string; version?: string } | undefined {
  try {
    return readManifest(store.blocks, cid)
  } catch (error) {
    if (error instanceof PkgError) return undefined
    throw error
  }
}
