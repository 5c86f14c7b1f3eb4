// `pkg registry update`: takes the newest root of the registries.

import { defineCommand } from '../command.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', { type: 'string', array: true, describe: 'Only these [all]' })
      .example('pkg registry update', '`pkg upgrade` does it too'),
  async run({ name = [] }, context) {
    const { updateRegistry } = await import('../../registry/subscribe.ts')
    const updated = await updateRegistry(await context.openStore(), name)
    return { registries: updated.map(({ root, ...rest }) => ({ cid: root, ...rest })) }
  },
  render: ({ registries }, style) =>
    registries
      .map(({ name, changed }) => `${style.bold(name)}: ${changed ? style.green('updated') : 'nothing new'}`)
      .join('\n') || 'There are no registries. Add one: pkg registry add <name> <directory or CID>',
  brief: ({ registries }) =>
    registries
      .filter(({ changed }) => changed)
      .map(({ name }) => name)
      .join('\n'),
})
