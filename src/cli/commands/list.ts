// `pkg list`: what the current generation holds. Reads links and a few blocks, no database.

import { defineCommand } from '../command.ts'
import { generationNumber } from '../numbers.ts'
import { formatBytes, printable, table } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('long', { alias: 'l', type: 'boolean', describe: 'With CIDs' })
      .option('generation', {
        type: 'string',
        requiresArg: true,
        describe: 'Of that generation [the current one]',
      })
      .example('pkg list --json', 'With CIDs, priorities and what was asked for'),
  async run({ generation: number }, { readProfile }) {
    const [{ currentGeneration, generations, requireGeneration }, { readEnvironment }, { linkSize }] =
      await Promise.all([
        import('../../profiles/profile.ts'),
        import('../../profiles/environment.ts'),
        import('../../packages/package.ts'),
      ])
    const profile = await readProfile()
    const { blocks } = profile.store
    const generation =
      number === undefined ? currentGeneration(profile) : requireGeneration(profile, generationNumber(number))
    // A path without any profile is a slip of the pen, and no empty one.
    if (!generation) generations(profile)
    const installed = generation ? readEnvironment(blocks, generation.cid) : []
    const packages = installed.map((one) => ({ ...one, size: linkSize(blocks, one.cid) }))
    return { ...(generation && { generation: generation.number, cid: generation.cid }), packages }
  },
  render({ packages, generation }, style, { long }) {
    if (packages.length === 0)
      return generation === undefined ? 'Nothing is installed yet' : 'Nothing is installed'
    const rows = packages.map(({ name, version, size, programs, cid }) => [
      style.bold(name),
      version,
      formatBytes(size),
      long ? cid.toString() : some(programs.map(printable)),
    ])
    return table(['name', 'version', 'closure', long ? 'cid' : 'programs'], rows, { style, right: [2] })
  },
  brief: ({ packages }) => packages.map(({ name }) => name).join('\n'),
})

/** A line of a table has room for this many names. */
const SHOWN = 5

function some(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, ${names.length - SHOWN} more` : ''
  return names.slice(0, SHOWN).join(', ') + more
}
