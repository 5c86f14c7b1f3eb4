// `pkg store add`: a file, symlink or directory into the store.

import { defineCommand } from '../command.ts'
import { count, formatBytes, printable } from '../show/output.ts'
import { bytesProgress } from '../show/steps.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('path', { type: 'string', demandOption: true, describe: 'A file, symlink or directory' })
      .option('pin', {
        type: 'string',
        requiresArg: true,
        describe: 'Keep it alive under this name; without a pin the next collection may take it',
      })
      .example('pkg store add ./tree --pin backup', 'Add a directory and keep it'),
  async run({ path, pin }, context) {
    const [{ withAdd }, { importTree }] = await Promise.all([
      import('../../store/add/add.ts'),
      import('../../store/import/import-tree.ts'),
    ])
    const store = await context.openStore('add')
    const progress = bytesProgress(context, 'Adding')
    return await withAdd(store, async (add) => {
      const added = await importTree(add, path, { signal: context.signal, onProgress: progress.update })
      // Without a link nothing is promised, so nothing waits for the disk: whoever links it later does.
      if (pin !== undefined) {
        await add.commit([added.cid])
        const { addPin } = await import('../../pins/pins.ts')
        // While the temp pin is there: a collection beside us cannot take it in between.
        await addPin(store, { prog: pin, cid: added.cid })
      }
      return { ...added, ...(pin === undefined ? {} : { pin }) }
    }).finally(progress.end)
  },
  about({ files, bytes, newBlocks, newBytes, pin }, style) {
    const kept = pin === undefined ? 'not pinned' : `pinned as ${printable(pin)}`
    const fresh =
      newBlocks === 0 ? 'nothing new' : `${count(newBlocks, 'new block')}, ${formatBytes(newBytes)}`
    return style.dim(`${count(files, 'file')}, ${formatBytes(bytes)}; ${fresh}; ${kept}`)
  },
  afterInterrupt: 'What was added stays until `pkg gc`; adding it again goes on from there.',
  brief: ({ cid }) => cid.toString(),
})
