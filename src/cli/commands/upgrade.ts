// `pkg upgrade`: takes the newest registries, then the newest of what is installed.

import { EXIT } from '../../errors.ts'
import { type AfterChange, afterChange } from '../after-change.ts'
import { defineCommand } from '../command.ts'
import { isMissing } from '../mounting.ts'
import { renderMove, withSizes } from '../show/changes.ts'
import { faultNotes } from '../show/fault-notes.ts'
import { updateFirst } from '../show/registry-updates.ts'
import { bytesProgress } from '../show/steps.ts'
import { UPDATE } from '../words/registry-options.ts'

const USAGE = `pkg upgrade [package..]

Upgrade some packages, or all

What was asked for decides: an exact version (esbuild@0.24.2) is where one
started, and is left behind; a range (esbuild@^0.24, =0.24.2) is kept to; a
directory is packed anew; a CID stays.`

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', { type: 'string', array: true, describe: 'Only these [all]' })
      .option('update', UPDATE)
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .usage(USAGE)
      .example('pkg upgrade', 'All; `pkg rollback` takes it back')
      .example('pkg upgrade esbuild', 'Only this one'),
  async run({ package: names = [], update, dryRun = false }, context) {
    const { upgradePackages } = await import('../../install/upgrade.ts')
    const profile = await context.openProfile()
    const updated = update ? await updateFirst(profile.store, context, { dryRun }) : undefined
    const kept: { name: string; version: string; why: string }[] = []
    const { update: onProgress, end } = bytesProgress(context, 'Packing')
    const change = await upgradePackages(profile, names, {
      dryRun,
      roots: updated?.roots,
      signal: context.signal,
      onProgress,
      onFault: faultNotes(context),
      onKept: ({ name, version }, why) => {
        kept.push({ name, version, why })
        context.note(`${name} stays at ${version}: ${why}`)
      },
    }).finally(end)
    const changes = await withSizes(change.changes, profile.store)
    const after: Partial<AfterChange> = dryRun || !change.changed ? {} : await afterChange(context, change)
    return { ...change, changes, dryRun, kept, ...(updated && { registries: updated.registries }), ...after }
  },
  render(change, style) {
    if (change.changed) return renderMove(change, style)
    if (change.generation === undefined) return 'Nothing is installed yet'
    return change.kept.length > 0 ? 'Nothing to upgrade' : 'Everything is up to date'
  },
  brief: ({ generation }) => generation?.toString(),
  exitStatus: ({ mount }) => (isMissing(mount) ? EXIT.unavailable : EXIT.ok),
})
