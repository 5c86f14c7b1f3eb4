// `pkg upgrade`: takes the newest registries, then the newest of what is installed.

import type { Store } from '../../store/store.ts'
import { afterChange } from '../after-change.ts'
import { renderMove, withSizes } from '../changes.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { type UpdateRecord, updateRecord, updateTrouble } from '../registry-updates.ts'

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
    const registries = update && !dryRun ? await updateRegistries(profile.store, context) : undefined
    const change = await upgradePackages(profile, names, {
      dryRun,
      signal: context.signal,
      onPassedOver: ({ name, version }, { message }) =>
        context.note(`${name} stays at ${version}: ${message}`),
    })
    const changes = await withSizes(change.changes, profile.store.blocks)
    const after = dryRun || !change.changed ? {} : await afterChange(context)
    return { ...change, changes, dryRun, ...(registries && { registries }), ...after }
  },
  render: (change, style) => (change.changed ? renderMove(change, style) : 'Everything is up to date'),
  brief: ({ generation }) => generation?.toString(),
})

/** A registry that cannot be updated is no reason not to upgrade from the others, and from what is known of it. */
async function updateRegistries(store: Store, { note }: Context): Promise<UpdateRecord[]> {
  const { updateRegistry } = await import('../../registry/update.ts')
  const updates = (await updateRegistry(store)).map(updateRecord)
  for (const line of updates.map(updateTrouble)) if (line !== undefined) note(line)
  return updates
}
