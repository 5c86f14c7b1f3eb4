// `pkg install`: look up, protect, build the environment, one rename.

import { EXIT } from '../../errors.ts'
import { afterChange } from '../after-change.ts'
import { defineCommand } from '../command.ts'
import { isMissing } from '../mounting.ts'
import { renderMove, withSizes } from '../show/changes.ts'
import { faultNotes } from '../show/fault-notes.ts'
import { bytesProgress } from '../show/steps.ts'
import { reading, wholeNumber } from '../words/values.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'A name, name@version, name@range, a CID, a path',
      })
      .option('priority', {
        type: 'string',
        requiresArg: true,
        coerce: reading(wholeNumber(-Infinity)),
        describe: 'Where two packages have the same file, the higher priority wins [0]',
      })
      .option('as', {
        type: 'string',
        requiresArg: true,
        describe: 'name@version, for a directory without a manifest',
      })
      .option('registry', { type: 'string', requiresArg: true, describe: 'Look only in this one' })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .example('pkg install esbuild', 'The newest version for this machine')
      .example('pkg install esbuild@0.24.2', 'That one; `pkg upgrade` goes on from it. =0.24.2 stays')
      .example('pkg install node@^24 ./mytool', 'The newest 24, and a directory of your own')
      .example('pkg install ./dir --as mytool@1.0.0', 'A directory without .pkg/manifest.json'),
  async run({ package: specs, priority, as, registry, dryRun = false }, context) {
    const { installPackages } = await import('../../install/install.ts')
    const profile = await context.openProfile('add')
    const { update: onProgress, end } = bytesProgress(context, 'Packing')
    const onFault = faultNotes(context)
    const options = { priority, as, registry, dryRun, signal: context.signal, onProgress, onFault }
    const change = await installPackages(profile, specs, options).finally(end)
    const changes = await withSizes(change.changes, profile.store)
    return { ...change, changes, dryRun, ...(dryRun ? {} : await afterChange(context, change)) }
  },
  render: (change, style) => renderMove(change, style),
  brief: ({ generation }) => generation?.toString(),
  exitStatus: (change) => ('mount' in change && isMissing(change.mount) ? EXIT.unavailable : EXIT.ok),
})
