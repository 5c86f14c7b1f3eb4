// `pkg config list`: every setting with its value, whence it comes and what it does.

import { defineCommand } from '../command.ts'
import { printable, table } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg config list --json', 'With defaults and what a value must be'),
  async run(_args, { paths }) {
    const { shownSettings } = await import('../show/show-settings.ts')
    return { path: paths.config, settings: shownSettings(paths) }
  },
  render({ settings }, style) {
    const rows = settings.map(({ name, value, source, about }) => [
      style.bold(name),
      printable(String(value)),
      source,
      about,
    ])
    return table(['setting', 'value', 'from', 'what it does'], rows, { style })
  },
  brief: ({ settings }) =>
    settings.map(({ name, value }) => `${name} ${printable(String(value))}`).join('\n'),
})
