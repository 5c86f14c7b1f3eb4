// `pkg du`: what takes the room, and what would be free if it went.

import type { Amount } from '../../collector/amount.ts'
import type { Bytes, DiskUsage } from '../../profiles/disk-usage.ts'
import { defineCommand } from '../command.ts'
import { stepsProgress } from '../show/collection-steps.ts'
import { count, fields, formatBytes, formatDate, printable, type Style, table } from '../show/output.ts'

/** Lines of each list, unless all are asked for. */
const SHOWN = 10

const LISTS = ['packages', 'generations', 'profiles', 'pins'] as const

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('all', {
        alias: 'a',
        type: 'boolean',
        describe: `All lines, not the first ${SHOWN} of each list`,
      })
      .option('by', { choices: LISTS, requiresArg: true, describe: 'Only this list, and all of it' })
      .example('pkg du', 'Unique is what goes when this one goes; the rest of it is shared with others')
      .example(
        'pkg du --json',
        'dedupRatio: the DAGs of all roots, each for itself, by what they take together',
      )
      .example('pkg du --by generations', 'Which ones are worth deleting: pkg roots drop, pkg gc --keep'),
  async run(_args, context) {
    const { diskUsage } = await import('../../profiles/disk-usage.ts')
    const store = await context.openStore()
    const steps = stepsProgress(context, { list: 'Measuring' })
    return await diskUsage(store, { signal: context.signal, onProgress: steps.update }).finally(steps.end)
  },
  render(usage, style, { all = false, by }) {
    const lists = by === undefined ? LISTS : [by]
    const sections = lists
      .map((list) => section(list, ROWS[list](usage, style), { style, all: all || by !== undefined }))
      .filter((rows) => rows.length > 0)
    // One table, so that the figures of all lists are below each other.
    const rows = sections.flatMap((lines, at) => (at === 0 ? lines : [[], ...lines]))
    const parts = [table([], rows, { style, right: [1, 2, 3] }), sums(usage, style), remarks(usage, style)]
    return parts.filter((part) => part !== '').join('\n\n')
  },
  brief: ({ onDisk }) => String(onDisk),
})

type Row = { what: string; usage: Bytes; about: string }

const ROWS: Record<(typeof LISTS)[number], (usage: DiskUsage, style: Style) => Row[]> = {
  packages: ({ packages }, style) =>
    packages.map(({ name, version, generations, profiles, pinned, ...usage }) => {
      const held = `${count(generations, 'generation')}${profiles > 1 ? ` of ${profiles} profiles` : ''}`
      return { what: `${style.bold(name)} ${version}`, usage, about: `${held}${pinned ? ', pinned' : ''}` }
    }),
  generations: ({ generations, profiles }, style) =>
    generations.map(({ number, name, current, created, ...usage }) => ({
      what: `${style.bold(String(number))}${profiles.length > 1 ? ` of ${printable(name)}` : ''}`,
      usage,
      about: `${created ? formatDate(created) : ''}${current ? '  current' : ''}`,
    })),
  profiles: ({ profiles }, style) =>
    profiles.map(({ name, generations, ...usage }) => ({
      what: style.bold(printable(name)),
      usage,
      about: count(generations, 'generation'),
    })),
  pins: ({ pins }, style) =>
    pins.map(({ kind, name, user, path, cid, ...usage }) => ({
      what: style.bold(printable(kind === 'pin' ? name : path)),
      usage,
      about: `${cid}${user !== undefined && severalUsers(pins) ? `  ${printable(user)}` : ''}`,
    })),
}

const severalUsers = (pins: DiskUsage['pins']) => new Set(pins.map(({ user }) => user)).size > 1

function section(name: string, rows: Row[], { style, all }: { style: Style; all: boolean }): string[][] {
  if (rows.length === 0) return []
  const shown = all ? rows : rows.slice(0, SHOWN)
  const lines = shown.map(({ what, usage: { total, unique, shared }, about }) => [
    what,
    formatBytes(total),
    formatBytes(unique),
    formatBytes(shared),
    style.dim(about),
  ])
  const more = rows.length - shown.length
  return [
    [name, 'size', 'unique', 'shared'].map((heading) => style.dim(heading)),
    ...lines,
    ...(more > 0 ? [[style.dim(`and ${more} more: --by ${name}`)]] : []),
  ]
}

function sums(usage: DiskUsage, style: Style): string {
  const { kept, dead, total, checkouts, onDisk, inUse, copies, dedupRatio } = usage
  const amount = ({ bytes, blocks }: Amount) => `${formatBytes(bytes)}, ${count(blocks, 'block')}`
  const gain = dead.blocks > 0 ? style.dim('  `pkg gc` frees what nothing keeps') : ''
  return fields(
    [
      ['kept', `${amount(kept)} by ${count(kept.roots, 'root')}`],
      [
        'in use',
        inUse.unique > 0 ? `${formatBytes(inUse.unique)} of it only by running programs and adds` : undefined,
      ],
      ['dead', `${amount(dead)}${gain}`],
      ['together', `${amount(total)}, which take ${formatBytes(total.diskBytes)} of the disk`],
      [
        'checkouts',
        checkouts.diskBytes > 0
          ? `${formatBytes(checkouts.bytes)}, ${count(checkouts.trees, 'tree')} of ${count(checkouts.files, 'file')}, which take ${formatBytes(checkouts.diskBytes)} of the disk`
          : undefined,
      ],
      ['on disk', style.bold(formatBytes(onDisk))],
      [
        'sharing',
        `dedup ratio ${dedupRatio.toFixed(1)}: the DAGs of all roots, each for itself, would take ${formatBytes(copies)}`,
      ],
    ],
    style,
  )
}

function remarks({ unreadable, incomplete, lost }: DiskUsage, style: Style): string {
  return [
    ...unreadable.map(({ path, errno }) => style.yellow(`cannot read ${printable(path)} (${errno})`)),
    ...(lost > 0
      ? [
          style.red(`lost: ${count(lost, 'block')} that roots need, first ${incomplete[0]}`),
          '`pkg store verify` tells what they belong to. What lies below them may count as dead.',
        ]
      : []),
  ].join('\n')
}
