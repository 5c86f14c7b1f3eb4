// `pkg store stat`: what a DAG is, and how much of it is here.

import { EXIT } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { count, fields, formatBytes } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('cid', {
        type: 'string',
        demandOption: true,
        describe: 'A CID or store path, and a path below',
      })
      .example('pkg store stat bafy…', 'Type, sizes, number of blocks, whether it is whole'),
  async run({ cid: text }, context) {
    const [{ closureSize, missingBlocks }, { stat }, { hasCode }, { resolveHeldDag }] = await Promise.all([
      import('../../store/links/closure.ts'),
      import('../../store/unixfs/stat.ts'),
      import('../../errors.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore()
    const cid = await resolveHeldDag(store, text, context)
    const missing = missingBlocks(store, cid)
    const closure = closureSize(store, cid)
    try {
      return { cid, ...stat(store.blocks, cid), closure, missing }
    } catch (error) {
      if (!hasCode(error, 'NOT_UNIXFS')) throw error
      return { cid, type: 'not UnixFS' as const, closure, missing }
    }
  },
  render({ cid, closure, missing, ...node }, style) {
    return fields(
      [
        ['cid', cid.toString()],
        ['type', node.type],
        ['size', 'size' in node && node.type !== 'directory' ? formatBytes(node.size) : undefined],
        ['mode', 'mode' in node ? `0${node.mode.toString(8)}` : undefined],
        ['blocks', `${count(closure.blocks, 'block')}, ${formatBytes(closure.bytes)}`],
        [
          'whole',
          missing.length === 0
            ? style.green('yes')
            : style.red(`no: ${count(missing.length, 'block')} missing`),
        ],
      ],
      style,
    )
  },
  brief: ({ closure }) => String(closure.bytes),
  exitStatus: ({ missing }) => (missing.length > 0 ? EXIT.damaged : EXIT.ok),
})
