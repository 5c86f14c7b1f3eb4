// `pkg switch`: any generation becomes the current one, by one rename.

import { noteOtherLink } from '../after-change.ts'
import { defineCommand } from '../command.ts'
import { renderMove, withSizes } from '../show/changes.ts'
import { generationNumber, reading } from '../words/values.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('generation', {
        type: 'string',
        demandOption: true,
        coerce: reading(generationNumber),
        describe: 'As `pkg history` lists it',
      })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .example('pkg switch 2', 'Make generation 2 the current one'),
  async run({ generation, dryRun = false }, context) {
    const { switchGeneration } = await import('../../profiles/switch.ts')
    const profile = await context.readProfile()
    const moved = await switchGeneration(profile, generation, { dryRun, signal: context.signal })
    if (!dryRun) noteOtherLink(context)
    return { ...moved, changes: await withSizes(moved.changes, profile.store), dryRun }
  },
  render: (moved, style) => renderMove(moved, style, { goes: true }),
  brief: ({ generation }) => String(generation),
})
