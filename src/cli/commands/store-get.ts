// `pkg store get`: a DAG as real files, outside of the store.

import { defineCommand } from '../command.ts'
import { count, formatBytes, printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('cid', {
        type: 'string',
        demandOption: true,
        describe: 'A CID or store path, and a path below',
      })
      .positional('destination', { type: 'string', describe: 'What to make [the last part of the path]' })
      .option('force', { alias: 'f', type: 'boolean', describe: 'Replace what is there' })
      .example('pkg store get bafy…/share/doc ./doc', 'Copy a part of it'),
  async run({ cid: text, destination, force }, context) {
    const [{ exportTree }, { resolveHeldDag }] = await Promise.all([
      import('../../store/export.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore()
    const cid = await resolveHeldDag(store, text, context)
    const to = destination ?? text.split('/').findLast((part) => part !== '') ?? cid.toString()
    const task = context.progress.task('Copying')
    // A million files may have no bytes.
    const onProgress = ({ bytes, files }: { bytes: number; files: number }) =>
      task.update({ done: bytes, detail: `${files} files` })
    const options = { force, signal: context.signal, onProgress }
    const figures = await exportTree(store, cid, to, options).finally(task.end)
    return { cid, destination: to, ...figures }
  },
  about({ files, bytes, leftOut }, style) {
    const lines = leftOut.map(({ path, why }) => style.yellow(`left out: ${printable(path)} ${why}`))
    return [...lines, `${count(files, 'file')}, ${formatBytes(bytes)}`].join('\n')
  },
  brief: ({ destination }) => printable(destination),
})
