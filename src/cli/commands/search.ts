// `pkg search`: over the names, descriptions and programs of all registries.

import { defineCommand } from '../command.ts'
import { formatBytes, printable, table } from '../show/output.ts'
import { type ErrorReport, reportOf } from '../show/report.ts'
import { reading, wholeNumber } from '../words/values.ts'

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
      .example('pkg search json filter', 'Packages with words, or programs, that begin so'),
  async run({ text = [], limit }, context) {
    const [{ search }, { subscriptionNames }] = await Promise.all([
      import('../../registry/search.ts'),
      import('../../registry/subscription.ts'),
    ])
    const damaged: { registry: string; error: ErrorReport }[] = []
    const onDamage = (registry: string, error: Error) => {
      damaged.push({ registry, error: reportOf(error) })
      context.note(`${registry}: ${error.message}; what cannot be read of it may be missing here`)
    }
    const packages = search(await context.openStore(), text.join(' '), { limit, onDamage })
    return { registries: subscriptionNames(context.paths), packages, ...(damaged.length > 0 && { damaged }) }
  },
  render({ registries, packages }, style) {
    if (registries.length === 0) {
      return 'There are no registries to search\nAdd one: pkg registry add <name> <directory or CID>'
    }
    if (packages.length === 0) return 'Nothing found'
    const rows = packages.map(({ name, version, size, description, registry }) => [
      style.bold(name),
      version,
      formatBytes(size),
      printable(registry),
      printable(description),
    ])
    return table(['name', 'version', 'size', 'registry', 'description'], rows, { style, right: [2] })
  },
  brief: ({ packages }) => packages.map(({ name }) => name).join('\n'),
})
