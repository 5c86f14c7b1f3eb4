// `pkg outdated`: what is not the newest; looks at the registries, and changes nothing.

import { defineCommand } from '../command.ts'
import { printable, table } from '../show/output.ts'
import { updateFirst } from '../show/registry-updates.ts'
import { bytesProgress } from '../show/steps.ts'
import { UPDATE } from '../words/registry-options.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', { type: 'string', array: true, describe: 'Only these [all]' })
      .option('update', UPDATE)
      .example('pkg outdated', 'What `pkg upgrade` would take, and what is held back'),
  async run({ package: names = [], update }, context) {
    const { findOutdated } = await import('../../install/outdated.ts')
    const profile = await context.openProfile()
    const updated = update ? await updateFirst(profile.store, context, { dryRun: true }) : undefined
    const { update: onProgress, end } = bytesProgress(context, 'Packing')
    const packages = await findOutdated(profile, names, {
      roots: updated?.roots,
      signal: context.signal,
      onProgress,
    }).finally(end)
    return { packages, ...(updated && { registries: updated.registries }) }
  },
  render({ packages }, style) {
    if (packages.length === 0) return 'Everything is up to date'
    const rows = packages.map(({ name, version, upgrade, newest, held }) => [
      style.bold(name),
      version,
      upgrade === undefined ? style.dim('stays') : upgrade === version ? 'new content' : style.green(upgrade),
      newest ?? '',
      held === undefined ? '' : printable(held),
    ])
    return table(['name', 'version', 'upgrade', 'newest', 'held'], rows, { style })
  },
  brief: ({ packages }) => packages.map(({ name }) => name).join('\n'),
})
