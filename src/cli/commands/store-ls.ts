// `pkg store ls`: the entries of a directory, from the blocks (the mount need not be there).

import type { CID } from '../../store/cid.ts'
import type { Stat } from '../../store/unixfs/stat.ts'
import { defineCommand } from '../command.ts'
import { formatBytes, printable, type Style, table } from '../output.ts'

const LETTERS = { file: '-', directory: 'd', symlink: 'l' } as const

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('cid', {
        type: 'string',
        demandOption: true,
        describe: 'A CID or store path, and a path below',
      })
      .option('long', { alias: 'l', type: 'boolean', describe: 'With types, modes, sizes and CIDs' })
      .example('pkg store ls -l bafy…/bin', 'What the programs are'),
  async run({ cid: text }, context) {
    const [{ list }, { stat }, { resolveHeldDag }, { reportOf }] = await Promise.all([
      import('../../store/unixfs/directory.ts'),
      import('../../store/unixfs/stat.ts'),
      import('../dag.ts'),
      import('../report.ts'),
    ])
    const store = await context.openStore()
    const cid = resolveHeldDag(store, text)
    const unusable: { name: string; why: string }[] = []
    const entries: Entry[] = []
    for (const { name, cid: entry } of list(store.blocks, cid, { onUnusable: (one) => unusable.push(one) })) {
      context.signal.throwIfAborted()
      // One bad entry must not hide its neighbours.
      try {
        entries.push({
          name,
          cid: entry,
          ...stat(store.blocks, entry, { blockSize: (leaf) => store.blocks.size(leaf) }),
        })
      } catch (error) {
        entries.push({ name, cid: entry, error: reportOf(error).message })
      }
    }
    return { cid, entries, unusable }
  },
  render({ entries, unusable }, style, { long }) {
    const left = unusable.map(({ name, why }) =>
      style.yellow(`left out: ${printable(name)} ${printable(why)}`),
    )
    if (!long) {
      const slash = (entry: Entry) => ('type' in entry && entry.type === 'directory' ? '/' : '')
      return [...entries.map((entry) => printable(entry.name) + slash(entry)), ...left].join('\n')
    }
    const rows = entries.map((entry) => details(entry, style))
    return [table(['mode', 'size', 'cid', 'name'], rows, { style, right: [1] }), ...left].join('\n')
  },
  brief: ({ entries }) => entries.map(({ name }) => printable(name)).join('\n'),
})

type Entry = { name: string; cid: CID } & (Stat | { error: string })

function details(entry: Entry, style: Style): string[] {
  const { cid } = entry
  const name = printable(entry.name)
  if ('error' in entry) return ['?', '', cid.toString(), `${name}  ${style.red(printable(entry.error))}`]
  const { type, mode, size, target } = entry
  return [
    LETTERS[type] + permissions(mode),
    type === 'directory' ? '' : formatBytes(size),
    cid.toString(),
    target === undefined ? name : `${name} -> ${printable(target)}`,
  ]
}

/** `r-xr-xr-x` */
function permissions(mode: number): string {
  return Array.from('rwxrwxrwx', (letter, bit) => (mode & (0o400 >> bit) ? letter : '-')).join('')
}
