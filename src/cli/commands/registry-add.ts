// `pkg registry add`: from now on packages are looked up there too.

import { defineCommand } from '../command.ts'
import { printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', { type: 'string', demandOption: true, describe: 'What you call it' })
      .positional('source', { type: 'string', demandOption: true, describe: 'A registry’s directory or CID' })
      .example('pkg registry add main ./reg', 'Registries are asked in the order in which they were added'),
  async run({ name, source }, context) {
    const { addRegistry } = await import('../../registry/subscribe.ts')
    const { root, ...rest } = await addRegistry(await context.openStore('add'), { name, source })
    return { cid: root, ...rest }
  },
  about: ({ name, source }, style) =>
    `Added the registry ${style.bold(printable(name))}: ${printable(source)}`,
  brief: ({ cid }) => cid.toString(),
})
