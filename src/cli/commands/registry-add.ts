// `pkg registry add`: from now on packages are looked up there too.

import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', { type: 'string', demandOption: true, describe: 'What you call it' })
      .positional('source', { type: 'string', demandOption: true, describe: 'A registry’s directory or CID' })
      .example('pkg registry add main ./reg', 'Registries are asked in the order in which they were added'),
  async run({ name, source }, context) {
    const { addRegistry } = await import('../../registry/subscribe.ts')
    const begun = new Date()
    const { root, ...rest } = await addRegistry(await context.openStore('add'), { name, source })
    return { cid: root, ...rest, known: rest.added < begun }
  },
  about: ({ name, source, known }, style) =>
    `${known ? 'Updated' : 'Added'} the registry ${style.bold(printable(name))}: ${printable(source)}`,
  brief: ({ cid }) => cid.toString(),
})
