// `pkg upgrade`: the newest version of what was asked for by name. An exact
// version is where one started, and is left behind; a range is kept to.

import { hasCode, PkgError } from '../../errors.ts'
import type { InstalledPackage } from '../../profiles/installed.ts'
import type { AddSession } from '../../store/add.ts'
import type { Store } from '../../store/store.ts'
import { afterChange } from '../after-change.ts'
import { renderMove, withSizes } from '../changes.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { upgradeSpec } from '../upgrade-spec.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', { type: 'string', array: true, describe: 'Only these [all]' })
      .option('update', { type: 'boolean', default: true, describe: 'Update the registries first' })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .example('pkg upgrade', 'All; `pkg rollback` takes it back')
      .example('pkg upgrade esbuild', 'One; a range it was installed with is kept to'),
  async run({ package: names = [], update, dryRun = false }, context) {
    const [{ changeProfile }, { requireInstalled, withUpgrades }, { installedPackages }, { withAdd }] =
      await Promise.all([
        import('../../profiles/change.ts'),
        import('../../profiles/operations.ts'),
        import('../../profiles/profile.ts'),
        import('../../store/add.ts'),
      ])
    const profile = await context.openProfile()
    const { store } = profile
    const installed = installedPackages(profile)
    requireInstalled(installed, names)
    if (update && !dryRun) await updateRegistries(store, context)
    const wanted = names.length === 0 ? installed : installed.filter(({ name }) => names.includes(name))
    const change = await withAdd(store, async (add) => {
      const newer = await newest(wanted, { add, store, context, strict: names.length > 0 })
      const options = { action: 'upgrade', dryRun, signal: context.signal } as const
      return await changeProfile(profile, (now) => withUpgrades(now, newer), options)
    })
    const changes = await withSizes(change.changes, store.blocks)
    return { ...change, changes, dryRun, ...(dryRun || !change.changed ? {} : await afterChange(context)) }
  },
  render: (change, style) => (change.changed ? renderMove(change, style) : 'Everything is up to date'),
  brief: ({ generation }) => generation?.toString(),
})

/** A registry that cannot be reached is no reason not to upgrade from the others. */
async function updateRegistries(store: Store, { note }: Context): Promise<void> {
  const { updateRegistry } = await import('../../registry/subscribe.ts')
  try {
    await updateRegistry(store)
  } catch (error) {
    if (!(error instanceof PkgError)) throw error
    note(`A registry was not updated: ${error.message}`)
  }
}

type NewestOptions = { add: AddSession; store: Store; context: Context; strict: boolean }

/** What there is for these packages that is not older. Without `strict` one that is nowhere any more is passed over. */
async function newest(
  packages: readonly InstalledPackage[],
  { add, store, context, strict }: NewestOptions,
): Promise<InstalledPackage[]> {
  const [{ lookUp }, { default: compare }] = await Promise.all([
    import('../look-up.ts'),
    import('semver/functions/compare.js'),
  ])
  const found: InstalledPackage[] = []
  for (const one of packages) {
    const spec = upgradeSpec(one)
    if (spec === undefined) continue
    try {
      const [after] = await lookUp(store, [spec], { add, signal: context.signal })
      if (after && compare(after.version, one.version) >= 0) found.push(after)
    } catch (error) {
      if (strict || !hasCode(error, 'NO_PACKAGE', 'NO_VERSION')) throw error
      context.note(`${one.name} stays at ${one.version}: ${error.message}`)
    }
  }
  return found
}
