// `pkg remove`: a generation without them; the one before stays, to go back to.

import { noteOtherLink } from '../after-change.ts'
import { renderMove, withSizes } from '../changes.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Names, as `pkg list` shows them',
      })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .example('pkg remove esbuild', 'Its blocks stay until no generation needs them and `pkg gc` runs'),
  async run({ package: names, dryRun = false }, context) {
    const { removePackages } = await import('../../profiles/remove.ts')
    const profile = await context.openProfile()
    const change = await removePackages(profile, names, { dryRun, signal: context.signal })
    if (!dryRun) noteOtherLink(context)
    return { ...change, changes: await withSizes(change.changes, profile.store.blocks), dryRun }
  },
  render: (change, style) => renderMove(change, style),
  brief: ({ generation }) => generation?.toString(),
})
