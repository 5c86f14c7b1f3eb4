// `pkg pin list`: pins, their sizes and dates, and auto pins with the link that they watch.

import { lstatSync } from 'node:fs'
import { describeBuild } from '../../install/here.ts'
import { defineCommand } from '../command.ts'
import { formatBytes, formatDate, printable, table } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('all-users', { alias: 'a', type: 'boolean', describe: 'Those of other users too' })
      .example('pkg pin remove hello@1.0.0', 'Let go of an old version')
      .example('pkg pin list', 'Generations are kept without a pin: see `pkg history`'),
  async run({ allUsers = false }, { paths, openStore }) {
    const [{ listPins }, { pinnedPackage }, { requirePrefix }, { userName }, { closureSize }] =
      await Promise.all([
        import('../../pins/pins.ts'),
        import('../../install/here.ts'),
        import('../../store/prefix.ts'),
        import('../../paths.ts'),
        import('../../store/links/closure.ts'),
      ])
    requirePrefix(paths)
    const pins = await listPins({ paths }, allUsers ? {} : { user: userName() })
    const store = await openStore()
    const { blocks } = store
    const listed = pins.map(({ prog, ...pin }) => {
      const described = pinnedPackage(blocks, pin.cid)
      return {
        name: prog,
        ...described,
        ...pin,
        size: blocks.has(pin.cid) ? closureSize(store, pin.cid).bytes : undefined,
        date: pin.remembered ? undefined : dateOf(pin.path),
      }
    })
    return { pins: listed.sort(byDate) }
  },
  render({ pins }, style) {
    if (pins.length === 0) return 'There are no pins'
    const users = new Set(pins.map(({ user }) => user)).size > 1
    const rows = pins.map(({ name, user, kind, cid, path, remembered, size, date, ...build }) => [
      style.bold(printable(name)),
      describeBuild(build),
      ...(users ? [printable(user)] : []),
      size === undefined ? '' : formatBytes(size),
      date === undefined ? '' : formatDate(date),
      cid.toString(),
      kind === 'auto' ? `by ${printable(path)}${remembered ? ' (cannot be read now)' : ''}` : '',
    ])
    return table(['name', 'version', ...(users ? ['user'] : []), 'size', 'since', 'cid', ''], rows, {
      style,
      right: [users ? 3 : 2],
    })
  },
  brief: ({ pins }) => pins.map(({ name, cid }) => `${printable(name)} ${cid}`).join('\n'),
})

type Listed = { user: string; name: string; date: Date | undefined }

/** By user and name; of one name the oldest first. */
function byDate(a: Listed, b: Listed): number {
  return inOrder(a.user, b.user) || inOrder(a.name, b.name) || Number(a.date ?? 0) - Number(b.date ?? 0)
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** When the link was made. Undefined when it cannot be looked at: an auto pin's may be in a home that is not mounted. */
function dateOf(link: string): Date | undefined {
  try {
    return lstatSync(link).mtime
  } catch {
    return undefined
  }
}
