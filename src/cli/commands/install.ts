// `pkg install`: look up, protect, build the environment, one rename.

import { PkgError } from '../../errors.ts'
import type { InstalledPackage } from '../../profiles/installed.ts'
import { afterChange } from '../after-change.ts'
import { renderMove, withSizes } from '../changes.ts'
import { defineCommand } from '../command.ts'
import { lookUp } from '../look-up.ts'
import { bytesProgress } from '../steps.ts'

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
        type: 'number',
        requiresArg: true,
        describe: 'Where two packages have the same file, the higher priority wins [0]',
      })
      .option('registry', { type: 'string', requiresArg: true, describe: 'Look only in this one' })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would change' })
      .example('pkg install esbuild', 'The newest version for this machine')
      .example('pkg install node@^24 ./mytool', 'The newest 24, and a directory of your own'),
  async run({ package: specs, priority, registry, dryRun = false }, context) {
    if (priority !== undefined && !Number.isFinite(priority))
      throw new PkgError('USAGE', '--priority must be a number')
    const [{ changeProfile }, { withPackages }, { withAdd }] = await Promise.all([
      import('../../profiles/change.ts'),
      import('../../profiles/operations.ts'),
      import('../../store/add.ts'),
    ])
    const profile = await context.openProfile()
    const { store } = profile
    const progress = bytesProgress(context, 'Packing')
    const change = await withAdd(store, async (add) => {
      const options = { add, registry, priority, signal: context.signal, onProgress: progress.update }
      const found = await lookUp(store, specs, options).finally(progress.end)
      const edit = (installed: readonly InstalledPackage[]) => {
        return withPackages(installed, priority === undefined ? keepPriorities(installed, found) : found)
      }
      return await changeProfile(profile, edit, { action: 'install', dryRun, signal: context.signal })
    })
    const changes = await withSizes(change.changes, store.blocks)
    return { ...change, changes, dryRun, ...(dryRun ? {} : await afterChange(context)) }
  },
  render: (change, style) => renderMove(change, style),
  brief: ({ generation }) => generation?.toString(),
})

/** A priority is a choice that somebody made: installing the package again does not undo it. */
function keepPriorities(
  installed: readonly InstalledPackage[],
  found: InstalledPackage[],
): InstalledPackage[] {
  const before = new Map(installed.map(({ name, priority }) => [name, priority]))
  return found.map((one) => ({ ...one, priority: before.get(one.name) ?? one.priority }))
}
