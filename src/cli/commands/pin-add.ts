// `pkg pin add`: a name for a DAG that shall stay.

import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', {
        type: 'string',
        demandOption: true,
        describe: 'What to call it; may name several',
      })
      .positional('cid', { type: 'string', demandOption: true, describe: 'A CID, or a path into the store' })
      .option('partial', { type: 'boolean', describe: 'Keep what there is of a DAG that is not whole here' })
      .example('pkg pin add backup bafy…', 'No collection takes it while the pin is there'),
  async run({ name, cid: text, partial }, context) {
    const [{ addPin }, { resolveHeldDag }] = await Promise.all([
      import('../../pins/pins.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore('change')
    const cid = await resolveHeldDag(store, text, context)
    const { prog, ...pin } = await addPin(store, { prog: name, cid, partial })
    return { name: prog, ...pin }
  },
  about: ({ name }, style) => `Pinned as ${style.bold(printable(name))}`,
  brief: ({ cid }) => cid.toString(),
})
