// `pkg store reindex`: the index in SQLite holds nothing that the blocks do not.

import { defineCommand } from '../command.ts'
import { count, formatBytes } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg store reindex', 'After var/index.db was lost or damaged'),
  async run(_args, context) {
    const [{ reindex }, { requireWriter }] = await Promise.all([
      import('../../store/verify/reindex.ts'),
      import('../owner-only.ts'),
    ])
    const store = await context.openStore()
    await requireWriter(context.paths, 'indexed')
    const task = context.progress.task('Indexing')
    const onProgress = ({ bytes }: { bytes: number }) => task.update({ done: bytes })
    return await reindex(store, { signal: context.signal, onProgress }).finally(task.end)
  },
  render: ({ blocks, nodes, bytes }) =>
    `Indexed ${count(blocks, 'block')} (${formatBytes(bytes)}), ${count(nodes, 'node')} with links`,
})
