// `pkg diff`: two generations against each other, packages and bytes.

import { PkgError } from '../../errors.ts'
import type { Profile } from '../../profiles/profile.ts'
import { defineCommand } from '../command.ts'
import { renderChanges, withSizes } from '../show/changes.ts'
import { formatChange } from '../show/output.ts'
import { generationNumber, reading } from '../words/values.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('from', {
        type: 'string',
        coerce: reading(generationNumber),
        describe: 'A generation [where you came from]',
      })
      .positional('to', {
        type: 'string',
        coerce: reading(generationNumber),
        describe: 'Another [the current one]',
      })
      .example('pkg diff 1 2', 'Added, removed, upgraded, and the change in size'),
  async run({ from, to }, context) {
    const { diffGenerations } = await import('../../profiles/diff.ts')
    const profile = await context.openProfile('read')
    const second = to === undefined ? await current(profile) : to
    const first = from === undefined ? await before(profile) : from
    const { added, removed, upgraded, downgraded, changed, ...rest } = diffGenerations(profile, first, second)
    const sized = (changes: typeof added) => withSizes(changes, profile.store)
    return {
      ...rest,
      ...(await import('../mounting.ts')).noteNotServed(context),
      added: await sized(added),
      removed: await sized(removed),
      upgraded: await sized(upgraded),
      downgraded: await sized(downgraded),
      changed: await sized(changed),
    }
  },
  render({ from, to, added, removed, upgraded, downgraded, changed, sizeChange }, style) {
    const changes = [...added, ...removed, ...upgraded, ...downgraded, ...changed]
    if (changes.length === 0) return `Generations ${from} and ${to} hold the same packages`
    return [`Generation ${from} to ${to}: ${formatChange(sizeChange)}`, renderChanges(changes, style)].join(
      '\n',
    )
  },
})

async function current(profile: Profile): Promise<number> {
  const { currentGeneration } = await import('../../profiles/profile.ts')
  const generation = currentGeneration(profile)
  if (generation) return generation.number
  throw new PkgError('NO_GENERATION', `there is no generation yet in ${profile.dir}`, {
    hint: 'Install something.',
  })
}

async function before(profile: Profile): Promise<number> {
  const { findCameFrom } = await import('../../profiles/switch.ts')
  const number = findCameFrom(profile)
  if (number !== undefined) return number
  throw new PkgError('NO_GENERATION', `there is no generation before the current one in ${profile.dir}`, {
    hint: 'Name two: pkg diff <from> <to>; `pkg history` lists them.',
  })
}
