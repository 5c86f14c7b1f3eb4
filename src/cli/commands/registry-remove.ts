// `pkg registry remove`: what was installed from there stays.

import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', { type: 'string', demandOption: true, describe: 'As `pkg registry list` shows it' })
      .example('pkg registry remove main', 'Installed packages stay'),
  async run({ name }, context) {
    const { removeRegistry } = await import('../../registry/subscribe.ts')
    await removeRegistry(await context.openStore('change'), name)
    return { name }
  },
  render: ({ name }, style) => `Removed the registry ${style.bold(printable(name))}`,
})
