// `pkg store cat`: a file's bytes on standard output, verified, a chunk at a time.

import { defineCommand } from '../command.ts'
import { write } from '../show/output.ts'

export const command = defineCommand({
  streams: () => true,
  options: (argv) =>
    argv
      .positional('cid', {
        type: 'string',
        demandOption: true,
        describe: 'A CID or store path, and a path below',
      })
      .example('pkg store cat bafy…/environment.json', 'Read one file'),
  async run({ cid: text }, context) {
    const [{ chunks }, { resolveHeldDag }] = await Promise.all([
      import('../../store/unixfs/read.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore()
    const cid = await resolveHeldDag(store, text, context)
    for (const chunk of chunks(store.blocks, cid)) {
      context.signal.throwIfAborted()
      await write(process.stdout, chunk)
    }
    return { cid }
  },
})
