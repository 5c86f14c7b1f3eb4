// `pkg rollback`: one rename back. Builds nothing and loads no database.

import { noteOtherLink } from '../after-change.ts'
import { defineCommand } from '../command.ts'
import { renderMove, withSizes } from '../show/changes.ts'
import { generationNumber, reading } from '../words/values.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('to', {
        type: 'string',
        requiresArg: true,
        coerce: reading(generationNumber),
        describe: 'That generation; further rollbacks go on from there',
      })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .example('pkg rollback', 'To the generation you came from, which need not be the one before'),
  async run({ to, dryRun = false }, context) {
    const { passedOver, rollback } = await import('../../profiles/switch.ts')
    const profile = await context.readProfile()
    const deleted = to === undefined ? passedOver(profile) : []
    const moved = await rollback(profile, { to, dryRun, signal: context.signal })
    if (deleted[0] !== undefined) {
      context.note(
        `Generation ${deleted[0]}, where you came from, was deleted: this goes on to ${moved.generation}`,
      )
    }
    if (!dryRun) noteOtherLink(context)
    return { ...moved, changes: await withSizes(moved.changes, profile.store), dryRun }
  },
  render: (moved, style) => renderMove(moved, style, { goes: true }),
  brief: ({ generation }) => String(generation),
})
