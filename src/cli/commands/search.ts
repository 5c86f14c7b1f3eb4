// `pkg search`: over the names and descriptions of all registries.

import { defineCommand } from '../command.ts'
import { printable, table } from '../output.ts'
import { type ErrorReport, reportOf } from '../report.ts'
import { reading, wholeNumber } from '../values.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('text', {
        type: 'string',
        array: true,
        describe: 'Words, or their beginnings [everything]',
      })
      .option('limit', {
        type: 'string',
        default: 50,
        requiresArg: true,
        coerce: reading(wholeNumber(1)),
        describe: 'At most this many',
      })
      .example('pkg search json filter', 'Packages with words that begin so'),
  async run({ text = [], limit }, context) {
    const { search } = await import('../../registry/search.ts')
    const damaged: { registry: string; error: ErrorReport }[] = []
    const onDamage = (registry: string, error: Error) => {
      damaged.push({ registry, error: reportOf(error) })
      context.note(`${registry}: ${error.message}; what cannot be read of it may be missing here`)
    }
    const packages = search(await context.openStore(), text.join(' '), { limit, onDamage })
    return { packages, ...(damaged.length > 0 && { damaged }) }
  },
  render({ packages }, style) {
    if (packages.length === 0) return 'Nothing found'
    const rows = packages.map(({ name, version, description, registry }) => [
      style.bold(name),
      version,
      printable(registry),
      printable(description),
    ])
    return table(['name', 'version', 'registry', 'description'], rows, { style })
  },
  brief: ({ packages }) => packages.map(({ name }) => name).join('\n'),
})
