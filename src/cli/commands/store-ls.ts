// `pkg store ls`: the entries of a directory, from the blocks (the mount need not be there).

import { EXIT } from '../../errors.ts'
import type { CID } from '../../store/cid.ts'
import type { Stat } from '../../store/unixfs/stat.ts'
import { defineCommand } from '../command.ts'
import { holdOrList, inPieces } from '../show/long-list.ts'
import { formatBytes, printable, type Style, table } from '../show/output.ts'

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
      import('../show/report.ts'),
    ])
    const store = await context.openStore()
    const cid = await resolveHeldDag(store, text, context)
    // What a listing of the mount leaves out, or has and cannot show.
    const unusable: { name: string; why: string }[] = []
    const blockSize = (leaf: CID) => store.blocks.size(leaf)
    function* all(): Generator<Entry> {
      for (const { name, cid: entry } of list(store.blocks, cid, {
        onUnusable: (one) => unusable.push(one),
      })) {
        context.signal.throwIfAborted()
        // One bad entry must not hide its neighbours.
        try {
          yield { name, cid: entry, ...stat(store.blocks, entry, { blockSize }) }
        } catch (error) {
          const { message } = reportOf(error)
          unusable.push({ name, why: `cannot be shown: ${message}` })
          yield { name, cid: entry, error: message }
        }
      }
    }
    return { cid, entries: holdOrList(all()), unusable }
  },
  *render({ entries, unusable }, style, { long }) {
    const widths: number[] = []
    let headings = ['mode', 'size', 'cid', 'name']
    if (long && Array.isArray(entries) && entries.length === 0) yield table(headings, [], { style })
    for (const piece of inPieces(entries)) {
      if (long) {
        const rows = piece.map((entry) => details(entry, style))
        yield table(headings, rows, { style, right: [1], widths })
        headings = []
      } else yield piece.map((entry) => printable(entry.name) + slash(entry)).join('\n')
    }
    for (const piece of inPieces(unusable)) {
      yield piece
        .map(({ name, why }) => style.yellow(`not as a file: ${printable(name)} ${printable(why)}`))
        .join('\n')
    }
  },
  *brief({ entries }) {
    for (const piece of inPieces(entries)) yield piece.map(({ name }) => printable(name)).join('\n')
  },
  exitStatus: ({ unusable }) => (unusable.length > 0 ? EXIT.damaged : EXIT.ok),
})

type Entry = { name: string; cid: CID } & (Stat | { error: string })

function slash(entry: Entry): string {
  return 'type' in entry && entry.type === 'directory' ? '/' : ''
}

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
