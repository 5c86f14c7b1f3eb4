// What changed between two lists of installed packages. Pure.

import { compareVersions } from '../packages/version.ts'
import type { InstalledPackage } from './installed.ts'

/** `changed`: the same version, but another build, another request or another priority. */
export type ChangeKind = 'added' | 'removed' | 'upgraded' | 'downgraded' | 'changed'

export interface Change {
  readonly kind: ChangeKind
  readonly name: string
  readonly before?: InstalledPackage
  readonly after?: InstalledPackage
}

/** The differences by name; empty when both lists say the same. */
export function changesBetween(
  before: readonly InstalledPackage[],
  after: readonly InstalledPackage[],
): Change[] {
  const old = new Map(before.map((one) => [one.name, one]))
  const young = new Map(after.map((one) => [one.name, one]))
  const names = [...new Set([...old.keys(), ...young.keys()])].sort()
  return names.flatMap((name) => change(name, old.get(name), young.get(name)) ?? [])
}

function change(name: string, before?: InstalledPackage, after?: InstalledPackage): Change | undefined {
  if (before === undefined) return after && { kind: 'added', name, after }
  if (after === undefined) return { kind: 'removed', name, before }
  const order = compareVersions(after.version, before.version)
  if (order !== 0) return { kind: order > 0 ? 'upgraded' : 'downgraded', name, before, after }
  return isSame(before, after) ? undefined : { kind: 'changed', name, before, after }
}

function isSame(a: InstalledPackage, b: InstalledPackage): boolean {
  const rest = ({ version, requested, priority, registry, onlyFrom, signer }: InstalledPackage) => {
    return [version, requested, priority, registry, onlyFrom, signer]
  }
  return a.cid.equals(b.cid) && JSON.stringify(rest(a)) === JSON.stringify(rest(b))
}
