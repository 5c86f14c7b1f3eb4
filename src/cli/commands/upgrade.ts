// `pkg upgrade`: takes the newest registries, then the newest of what is installed.

import { PkgError } from '../../errors.ts'
import type { Store } from '../../store/store.ts'
import { afterChange } from '../after-change.ts'
import { renderMove, withSizes } from '../changes.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', { type: 'string', array: true, describe: 'Only these [all]' })
      .option('update', { type: 'boolean', default: true, describe: 'Update the registries first' })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .example('pkg upgrade', 'All; `pkg rollback` takes it back')
      .example('pkg upgrade esbuild', 'One; a range that it was installed with is kept to'),
  async run({ package: names = [], update, dryRun = false }, context) {
    const { upgradePackages } = await import('../../registry/install.ts')
    const profile = await context.openProfile()
    if (update && !dryRun) await updateRegistries(profile.store, context)
    const change = await upgradePackages(profile, names, {
      dryRun,
      signal: context.signal,
      onPassedOver: ({ name, version }, { message }) =>
        context.note(`${name} stays at ${version}: ${message}`),
    })
    const changes = await withSizes(change.changes, profile.store.blocks)
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
