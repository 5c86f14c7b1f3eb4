// `pkg roots drop`: what they kept lies there until the next collection.

import { PkgError } from '../../errors.ts'
import type { ListedRoot } from '../../pins/root-list.ts'
import { defineCommand } from '../command.ts'
import { describeRoot } from '../show/describe-root.ts'
import { printable } from '../show/output.ts'
import { generationNumber } from '../words/values.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('root', {
        type: 'string',
        array: true,
        describe: 'A path as `pkg roots` shows it, or the number of a generation of your profile',
      })
      .option('dead', { type: 'boolean', describe: 'All that keep nothing any more' })
      .example('pkg roots drop 3 4', 'Two generations that are not wanted back')
      .example('pkg roots drop ~/proj/result', 'The auto pin of this link; the link itself stays'),
  async run({ root: wanted = [], dead = false }, context) {
    const { dropDead, dropRoots } = await import('../../pins/drop.ts')
    if (wanted.length === 0 && !dead) {
      throw new PkgError('USAGE', 'no root to drop is named', {
        hint: '`pkg roots` lists them with their paths; --dead drops what keeps nothing any more.',
      })
    }
    const profile = await context.readProfile()
    const { generationLink, requireGeneration } = await import('../../profiles/profile.ts')
    const asked = wanted.map((text) =>
      /^\d+$/.test(text)
        ? generationLink(profile, requireGeneration(profile, generationNumber(text)).number)
        : text,
    )
    const dropped = [
      ...(asked.length > 0 ? await dropRoots(profile.store, asked) : []),
      ...(dead ? await dropDead(profile.store) : []),
    ]
    if (dropped.some(({ state }) => state !== 'dead'))
      context.note('What only they kept goes with the next `pkg gc`')
    return { roots: dropped.map(({ via: _, ...root }) => root) }
  },
  render: ({ roots }) =>
    roots.length === 0
      ? 'Nothing to drop'
      : roots.map((root) => `Dropped ${printable(describe(root))}`).join('\n'),
  brief: ({ roots }) => roots.map(({ path }) => printable(path)).join('\n'),
})

function describe(root: Omit<ListedRoot, 'via'>): string {
  if (root.kind === 'temp') return `temp pin ${root.path}`
  return `${describeRoot(root)}${root.cid ? `: ${root.cid}` : ''}`
}
