// `pkg registry update`: takes the newest root of the registries.

import { EXIT } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'
import { updateRecord, updateTrouble } from '../show/registry-updates.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', { type: 'string', array: true, describe: 'Only these [all]' })
      .example('pkg registry update', '`pkg upgrade` does it too; status 4 when one could not be updated'),
  async run({ name = [] }, context) {
    const { updateRegistry } = await import('../../registry/update.ts')
    const updates = await updateRegistry(await context.openStore('change'), name)
    return { registries: updates.map(updateRecord) }
  },
  render: ({ registries }, style) =>
    registries
      .map((one) => {
        const done = one.changed ? style.green('updated') : 'nothing new'
        return printable(updateTrouble(one) ?? '') || `${style.bold(printable(one.name))}: ${done}`
      })
      .join('\n') || 'There are no registries. Add one: pkg registry add <name> <directory or CID>',
  brief: ({ registries }) =>
    registries
      .filter(({ changed }) => changed)
      .map(({ name }) => name)
      .join('\n'),
  exitStatus: ({ registries }) => (registries.every(({ ok }) => ok) ? EXIT.ok : EXIT.damaged),
})
