// From what a user asks for to packages that can be installed, each protected
// from a collector from the moment it is known to the end of the add session.

import { resolve as absolute } from 'node:path'
import { PkgError } from '../errors.ts'
import type { PackOptions } from '../packages/pack.ts'
import { readManifest } from '../packages/package.ts'
import { namingPackages } from '../profiles/damaged.ts'
import { type InstalledPackage, installedPackage } from '../profiles/installed.ts'
import type { AddSession } from '../store/add/add.ts'
import { type ResolvedPackage, type ResolveOptions, resolve } from './resolve.ts'
import { parseSpec } from './spec.ts'

export type LookUpOptions = Pick<ResolveOptions, 'registry' | 'roots' | 'here'> & {
  /** the packages' priority; 0 when absent */
  priority?: number | undefined
} & Pick<PackOptions, 'as' | 'signal' | 'onProgress' | 'onFault'>

/**
 * What the specs (see spec.ts) stand for, in their order; `as` is for one directory
 * without a manifest. Throws what `resolve` throws, USAGE, and INCOMPLETE for a
 * package that is not all here.
 */
export async function lookUp(
  add: AddSession,
  specs: readonly string[],
  { registry, roots, here, priority, as, signal, onProgress, onFault }: LookUpOptions = {},
): Promise<InstalledPackage[]> {
  const { store } = add
  if (as !== undefined && specs.length !== 1) {
    throw new PkgError('USAGE', `--as names one package; ${specs.length} are asked for`)
  }
  const found: ResolvedPackage[] = []
  for (const text of specs) {
    signal?.throwIfAborted()
    const keep: PackOptions['keep'] = ({ cid }) => add.protect(cid)
    const pack = { as, keep, signal, onProgress, onFault }
    found.push(await resolve(store, text, { registry, roots, here, pack }))
  }
  const rely = () => add.rely(found.map(({ cid }) => cid))
  await namingPackages(store, found, rely, { installed: false })
  return found.map((one) =>
    installedPackage(readManifest(store.blocks, one.cid), one.cid, {
      requested: lasting(one.requested),
      ...(one.registry === undefined ? {} : { registry: one.registry }),
      ...(one.registry === undefined || registry === undefined ? {} : { onlyFrom: registry }),
      ...(priority === undefined ? {} : { priority }),
    }),
  )
}

/** A request that means the same in any working directory: an upgrade looks it up again. */
function lasting(text: string): string {
  return parseSpec(text).kind === 'path' ? absolute(text) : text
}
