// `pkg remove`: a generation without them; the one before stays, to go back to.

import { hasCode, PkgError } from '../../errors.ts'
import type { Profile } from '../../profiles/profile.ts'
import { noteOtherLink } from '../after-change.ts'
import { defineCommand } from '../command.ts'
import { renderMove, withSizes } from '../show/changes.ts'

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
    const { removePackages } = await import('../../install/remove.ts')
    const profile = await context.openProfile()
    const change = await removePackages(profile, names, { dryRun, signal: context.signal }).catch(
      async (error) => {
        throw await withSuggestions(error, names, profile)
      },
    )
    if (!dryRun) noteOtherLink(context)
    return { ...change, changes: await withSizes(change.changes, profile.store), dryRun }
  },
  render: (change, style) => renderMove(change, style),
  brief: ({ generation }) => generation?.toString(),
})

/** The error with the installed names that were probably meant, when there are some. */
async function withSuggestions(error: unknown, names: readonly string[], profile: Profile): Promise<unknown> {
  if (!hasCode(error, 'NO_PACKAGE')) return error
  const [{ installedPackages }, { suggest }] = await Promise.all([
    import('../../profiles/read-installed.ts'),
    import('../../install/suggest.ts'),
  ])
  const installed = installedPackages(profile).map(({ name }) => name)
  const near = names.filter((name) => !installed.includes(name)).flatMap((name) => suggest(name, installed))
  if (near.length === 0) return error
  return new PkgError('NO_PACKAGE', error.message, { hint: `Did you mean ${near.join(', ')}?`, cause: error })
}
