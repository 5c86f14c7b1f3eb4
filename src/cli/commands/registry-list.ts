// `pkg registry list`: in the order in which they are asked.

import { defineCommand } from '../command.ts'
import { formatDate, printable, table } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg registry list', 'The first that knows a name answers for it'),
  async run(_args, { paths }) {
    const [{ listRegistries }, { requirePrefix }] = await Promise.all([
      import('../../registry/subscribe.ts'),
      import('../../store/prefix.ts'),
    ])
    requirePrefix(paths)
    const registries = listRegistries({ paths })
    return { registries: registries.map(({ root, ...rest }) => ({ cid: root, ...rest })) }
  },
  render({ registries }, style) {
    if (registries.length === 0)
      return 'There are no registries. Add one: pkg registry add <name> <directory or CID>'
    const rows = registries.map(({ name, source, updated }) => [
      style.bold(printable(name)),
      formatDate(updated),
      printable(source),
    ])
    return table(['name', 'updated', 'source'], rows, { style })
  },
  brief: ({ registries }) => registries.map(({ name }) => name).join('\n'),
})
