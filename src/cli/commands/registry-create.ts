// `pkg registry create`: an empty registry, in a directory of one's own.

import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('directory', { type: 'string', demandOption: true, describe: 'Where it shall lie' })
      .option('name', {
        type: 'string',
        requiresArg: true,
        describe: 'What it calls itself [the directory’s name]',
      })
      .example('pkg registry create ./reg', 'Then: pkg publish <cid> --registry ./reg'),
  async run({ directory, name }, context) {
    const { createRegistry } = await import('../../registry/directory.ts')
    const { root, ...rest } = await createRegistry(await context.openStore('add'), directory, { name })
    return { cid: root, ...rest }
  },
  about: ({ name, directory }, style) =>
    `Made the registry ${style.bold(printable(name))} in ${printable(directory)}`,
  brief: ({ cid }) => cid.toString(),
})
