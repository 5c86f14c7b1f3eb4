// `pkg list`: what the current generation holds. Reads links and a few blocks, no database.

import { EXIT } from '../../errors.ts'
import type { InstalledPackage } from '../../profiles/installed.ts'
import { defineCommand } from '../command.ts'
import { generationNumber } from '../numbers.ts'
import { formatBytes, printable, table } from '../output.ts'

type Listed = InstalledPackage & { sizeAtMost?: number; damaged?: true }

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('long', { alias: 'l', type: 'boolean', describe: 'With CIDs' })
      .option('generation', {
        type: 'string',
        requiresArg: true,
        describe: 'Of that generation [the current one]',
      })
      .example('pkg list --json', 'With CIDs, priorities and what was asked for')
      .example('pkg info ./tool', 'The exact size: a list reads roots alone, where blocks count once a link'),
  async run({ generation: number }, context) {
    const { readProfile, note } = context
    const [
      { currentGeneration, generations, requireGeneration },
      { healHint, readInstalled },
      { tryLinkSize },
    ] = await Promise.all([
      import('../../profiles/profile.ts'),
      import('../../profiles/damaged.ts'),
      import('../../packages/package.ts'),
    ])
    const profile = await readProfile()
    const { blocks } = profile.store
    const generation =
      number === undefined ? currentGeneration(profile) : requireGeneration(profile, generationNumber(number))
    // A path without any profile is a slip of the pen, and no empty one.
    if (!generation) generations(profile)
    const installed = generation ? readInstalled(profile, generation) : []
    // One lost block ends no listing: the others are told, and the status tells of the damage.
    const packages = installed.map((one): Listed => {
      const sizeAtMost = tryLinkSize(blocks, one.cid)
      return { ...one, ...(sizeAtMost === undefined ? { damaged: true } : { sizeAtMost }) }
    })
    for (const one of packages.filter(({ damaged }) => damaged)) {
      note(`${one.name} ${one.version} is damaged: block ${one.cid}, its root, is lost`)
      note(`hint: ${healHint(one)}`)
    }
    if (packages.length > 0) (await import('../mounting.ts')).noteNotServed(context)
    return { ...(generation && { generation: generation.number, cid: generation.cid }), packages }
  },
  render({ packages, generation }, style, { long }) {
    if (packages.length === 0)
      return generation === undefined ? 'Nothing is installed yet' : 'Nothing is installed'
    const rows = packages.map(({ name, version, sizeAtMost, programs, cid }) => [
      style.bold(name),
      version,
      sizeAtMost === undefined ? style.red('damaged') : formatBytes(sizeAtMost),
      long ? cid.toString() : some(programs.map(printable)),
    ])
    return table(['name', 'version', 'at most', long ? 'cid' : 'programs'], rows, { style, right: [2] })
  },
  brief: ({ packages }) => packages.map(({ name }) => name).join('\n'),
  exitStatus: ({ packages }) => (packages.some(({ damaged }) => damaged) ? EXIT.damaged : EXIT.ok),
})

/** A line of a table has room for this many names. */
const SHOWN = 5

function some(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, ${names.length - SHOWN} more` : ''
  return names.slice(0, SHOWN).join(', ') + more
}
