// What an upgrade looks for, from what was asked for at the installation. Pure.

import type { PrefixPaths } from '../paths.ts'
import type { InstalledPackage } from '../profiles/installed.ts'
import { parseSpec } from './spec.ts'

/** A whole version: `1.2.3`, `v1.2.3-rc.1`. `=1.2.3` is not meant: whoever writes that wants to stay there. */
const EXACT = /^v?\d+\.\d+\.\d+([-+].*)?$/

/** The spec to look up; undefined for what was installed by CID or store path: that names one build for ever. */
export function upgradeSpec(
  { name, requested }: Pick<InstalledPackage, 'name' | 'requested'>,
  { store }: Pick<PrefixPaths, 'store'>,
): string | undefined {
  const spec = parseSpec(requested)
  if (spec.kind === 'cid') return undefined
  if (spec.kind === 'path') return spec.path.startsWith(`${store}/`) ? undefined : spec.path
  const { range } = spec
  return range === undefined || EXACT.test(range) ? name : `${name}@${range}`
}

/** What an upgrade keeps a package to: a range, its CID; undefined where it takes the newest. */
export function heldAs(
  { name, requested }: Pick<InstalledPackage, 'name' | 'requested'>,
  paths: Pick<PrefixPaths, 'store'>,
): string | undefined {
  const spec = upgradeSpec({ name, requested }, paths)
  if (spec === undefined) return 'by its CID'
  const range = spec.startsWith(`${name}@`) ? spec.slice(name.length + 1) : undefined
  return range === 'latest' ? undefined : range
}
