// `pkg publish`: a package into a registry that one keeps.

import { defineCommand } from '../command.ts'
import { printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        demandOption: true,
        describe: 'The package’s CID, or a path into the store',
      })
      .option('registry', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'The registry’s directory',
      })
      .option('replace', { type: 'boolean', describe: 'Let another CID take the place of this version' })
      .example('pkg publish bafy… --registry ./reg', 'Its manifest says name, version and platforms'),
  async run({ package: text, registry, replace }, context) {
    const [{ publish }, { resolveHeldDag }] = await Promise.all([
      import('../../registry/publish.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore('change')
    const published = await publish(store, registry, resolveHeldDag(store, text), { replace })
    return { ...published, registry }
  },
  render: ({ name, version, root, registry, changed }, style) =>
    changed
      ? `Published ${style.bold(`${name} ${version}`)} in ${printable(registry)}\n${style.dim(`registry ${root}`)}`
      : `${name} ${version} is in ${printable(registry)} already`,
  brief: ({ root }) => root.toString(),
})
