// `pkg roots`: what keeps things alive, whoever keeps it, since when, and what is only left over.

import type { ListedRoot } from '../../pins/root-list.ts'
import { defineCommand } from '../command.ts'
import { count, formatBytes, formatDate, printable, type Style, table } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('dead', { type: 'boolean', describe: 'Only what keeps nothing any more' })
      .option('mine', { alias: 'm', type: 'boolean', describe: 'Only those of this user' })
      .example('pkg roots', 'The path in a line is what `pkg roots drop` takes; `pkg du` has exact sizes')
      .example('pkg why esbuild', 'Which of them keep one thing, and by which way'),
  async run({ dead = false, mine = false }, { paths }) {
    const [{ listRoots }, { requirePrefix }, { userName }, { Blocks }, { tryLinkSize }] = await Promise.all([
      import('../../pins/root-list.ts'),
      import('../../store/prefix.ts'),
      import('../../paths.ts'),
      import('../../store/blocks/blocks.ts'),
      import('../../packages/package.ts'),
    ])
    requirePrefix(paths)
    const blocks = new Blocks(paths)
    const all = await listRoots({ paths })
    const shown = all.filter(
      ({ state, user }) => (!dead || state === 'dead') && (!mine || user === userName()),
    )
    return {
      roots: shown.map(({ via: _, ...root }) => ({
        ...root,
        sizeAtMost: root.cid && tryLinkSize(blocks, root.cid),
      })),
    }
  },
  render({ roots }, style, { dead }) {
    if (roots.length === 0) return dead ? 'Nothing is left over' : 'Nothing keeps anything alive'
    const users = new Set(roots.flatMap(({ user }) => user ?? [])).size > 1
    const rows = roots.map((root) => [
      root.number === undefined ? KINDS[root.kind] : KINDS.generation,
      style.bold(printable(nameOf(root))),
      ...(users ? [printable(root.user ?? '')] : []),
      root.since === undefined ? '' : formatDate(root.since),
      root.sizeAtMost === undefined ? '' : formatBytes(root.sizeAtMost),
      remark(root, style),
      printable(root.path),
    ])
    const headings = ['kind', 'name', ...(users ? ['user'] : []), 'since', 'at most', 'state', 'path']
    const stale = roots.filter(({ state }) => state === 'dead').length
    const end =
      stale > 0 && !dead
        ? `\n${style.dim(`${count(stale, 'root')} of these keep nothing: the next \`pkg gc\` removes them, or \`pkg roots drop --dead\``)}`
        : ''
    return `${table(headings, rows, { style, right: [users ? 4 : 3] })}${end}`
  },
  brief: ({ roots }) => roots.map(({ path }) => printable(path)).join('\n'),
})

const KINDS = { generation: 'generation', pin: 'pin', auto: 'auto pin', temp: 'temp pin', process: 'process' }

function nameOf({ number, name, kind }: Pick<ListedRoot, 'number' | 'name' | 'kind'>): string {
  return kind === 'generation' || number !== undefined ? String(number ?? '') : name
}

function remark({ kind, state, current, errno, cid }: ListedRoot, style: Style): string {
  if (state === 'dead') return style.yellow('dead')
  if (state === 'unreadable' && kind === 'process')
    return style.yellow('waits for a file system that does not answer: it may hold more than is seen')
  if (state === 'unreadable')
    return style.yellow(
      cid
        ? `cannot be read (${errno}): kept as it last was`
        : `cannot be read (${errno}): stops every collection`,
    )
  return current ? style.green('current') : ''
}
