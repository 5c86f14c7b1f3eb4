// `pkg pin list`: pins, and auto pins with the link that they watch.

import { defineCommand } from '../command.ts'
import { printable, table } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('all-users', { alias: 'a', type: 'boolean', describe: 'Those of other users too' })
      .example('pkg pin list', 'Generations are kept without a pin: see `pkg history`'),
  async run({ allUsers = false }, { paths }) {
    const [{ listPins }, { requirePrefix }, { userName }] = await Promise.all([
      import('../../pins/pins.ts'),
      import('../../store/prefix.ts'),
      import('../../paths.ts'),
    ])
    requirePrefix(paths)
    const pins = listPins({ paths }, allUsers ? {} : { user: userName() })
    return { pins: pins.map(({ prog, ...pin }) => ({ name: prog, ...pin })) }
  },
  render({ pins }, style) {
    if (pins.length === 0) return 'There are no pins'
    const users = new Set(pins.map(({ user }) => user)).size > 1
    const rows = pins.map(({ name, user, kind, cid, path, remembered }) => [
      style.bold(printable(name)),
      ...(users ? [printable(user)] : []),
      cid.toString(),
      kind === 'auto' ? `by ${printable(path)}${remembered ? ' (cannot be read now)' : ''}` : '',
    ])
    return table(['name', ...(users ? ['user'] : []), 'cid', ''], rows, { style })
  },
  brief: ({ pins }) => pins.map(({ name, cid }) => `${printable(name)} ${cid}`).join('\n'),
})
