// `pkg upgrade`: takes the newest registries, then the newest of what is installed.

import { EXIT } from '../../errors.ts'
import type { Store } from '../../store/store.ts'
import { type AfterChange, afterChange } from '../after-change.ts'
import { renderMove, withSizes } from '../changes.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { isMissing } from '../mounting.ts'
import { type UpdateRecord, updateRecord, updateTrouble } from '../registry-updates.ts'
import { bytesProgress } from '../steps.ts'

const USAGE = `pkg upgrade [package..]

Upgrade some packages, or all

What was asked for decides: an exact version (esbuild@0.24.2) is where one
started, and is left behind; a range (esbuild@^0.24, =0.24.2) is kept to; a
directory is packed anew; a CID stays.`

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', { type: 'string', array: true, describe: 'Only these [all]' })
      .option('update', {
        type: 'boolean',
        default: true,
        describe: 'Update the registries first; --no-update leaves it',
      })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .usage(USAGE)
      .example('pkg upgrade', 'All; `pkg rollback` takes it back')
      .example('pkg upgrade esbuild', 'Only this one'),
  async run({ package: names = [], update, dryRun = false }, context) {
    const { upgradePackages } = await import('../../registry/upgrade.ts')
    const profile = await context.openProfile()
    const registries = update && !dryRun ? await updateRegistries(profile.store, context) : undefined
    const kept: { name: string; version: string; why: string }[] = []
    const { update: onProgress, end } = bytesProgress(context, 'Packing')
    const change = await upgradePackages(profile, names, {
      dryRun,
      signal: context.signal,
      onProgress,
      onKept: ({ name, version }, why) => {
        kept.push({ name, version, why })
        context.note(`${name} stays at ${version}: ${why}`)
      },
    }).finally(end)
    const changes = await withSizes(change.changes, profile.store)
    const after: Partial<AfterChange> = dryRun || !change.changed ? {} : await afterChange(context, change)
    return { ...change, changes, dryRun, kept, ...(registries && { registries }), ...after }
  },
  render(change, style) {
    if (change.changed) return renderMove(change, style)
    return change.kept.length > 0 ? 'Nothing to upgrade' : 'Everything is up to date'
  },
  brief: ({ generation }) => generation?.toString(),
  exitStatus: ({ mount }) => (isMissing(mount) ? EXIT.unavailable : EXIT.ok),
})

/** A registry that cannot be updated is no reason not to upgrade from the others, and from what is known of it. */
async function updateRegistries(store: Store, { note }: Context): Promise<UpdateRecord[]> {
  const { updateRegistry } = await import('../../registry/update.ts')
  const updates = (await updateRegistry(store)).map(updateRecord)
  for (const line of updates.map(updateTrouble)) if (line !== undefined) note(line)
  return updates
}
