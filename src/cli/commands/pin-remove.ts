// `pkg pin remove`: what it kept lies there until the next collection.

import { defineCommand } from '../command.ts'
import { printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', { type: 'string', demandOption: true, describe: 'As `pkg pin list` shows it' })
      .positional('cid', { type: 'string', describe: 'Only the pin of this CID [all of that name]' })
      .example('pkg pin remove backup', 'Then `pkg gc` may take what nothing else keeps'),
  async run({ name, cid: text }, context) {
    const [{ removePin }, { resolveDag }] = await Promise.all([
      import('../../pins/pins.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore()
    const removed = await removePin(store, {
      prog: name,
      cid: text === undefined ? undefined : resolveDag(store, text),
    })
    return { pins: removed.map(({ prog, ...pin }) => ({ name: prog, ...pin })) }
  },
  render: ({ pins }, style) =>
    pins.map(({ name, cid }) => `Unpinned ${style.bold(printable(name))}: ${cid}`).join('\n'),
})
