// `pkg list`: what the current generation holds. Reads links and a few blocks, no database.

import { matchesGlob } from 'node:path'
import { EXIT, hasCode, PkgError } from '../../errors.ts'
import type { InstalledPackage } from '../../profiles/installed.ts'
import type { BlockGetter } from '../../store/blocks/blocks.ts'
import type { CID } from '../../store/cid.ts'
import { defineCommand } from '../command.ts'
import { formatBytes, printable, table } from '../show/output.ts'
import { generationNumber, reading } from '../words/values.ts'

type Listed = InstalledPackage & { size?: number; held?: string; damaged?: true }

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('pattern', {
        type: 'string',
        describe: 'Only names that have this in them, or match it with * and ?',
      })
      .option('long', { alias: 'l', type: 'boolean', describe: 'With CIDs' })
      .option('generation', {
        type: 'string',
        requiresArg: true,
        coerce: reading(generationNumber),
        describe: 'Of that generation [the current one]',
      })
      .example('pkg list --json', 'With CIDs, priorities and what was asked for'),
  async run({ pattern, generation: number }, context) {
    const { readProfile, note } = context
    const [
      { generations, requireGeneration },
      { healHint },
      { currentPackages, readInstalled },
      { heldAs },
      { closureSize, linksOfBlocks },
    ] = await Promise.all([
      import('../../profiles/profile.ts'),
      import('../../profiles/damaged.ts'),
      import('../../profiles/read-installed.ts'),
      import('../../install/upgrade-spec.ts'),
      import('../../store/links/closure.ts'),
    ])
    const profile = await readProfile()
    const links = linksOfBlocks(profile.store.blocks)
    const named = number === undefined ? undefined : requireGeneration(profile, number)
    const { generation, installed: all = [] } =
      (named ? { generation: named, installed: readInstalled(profile, named) } : currentPackages(profile)) ??
      {}
    // A path without any profile is a slip of the pen, and no empty one.
    if (!generation) generations(profile)
    const installed = pattern === undefined ? all : all.filter(({ name }) => isMeant(name, pattern))
    if (pattern !== undefined && installed.length === 0) {
      throw new PkgError('NO_PACKAGE', `nothing that is installed is called ${JSON.stringify(pattern)}`, {
        hint: '`pkg list` shows all; `pkg which <program>` looks for a program.',
      })
    }
    // One lost block ends no listing: the others are told, and the status tells of the damage.
    const packages = installed.map((one): Listed => {
      const held = heldAs(one, profile.store.paths)
      const listed = held === undefined ? one : { ...one, held }
      if (!isReadable(links.blocks, one.cid)) return { ...listed, damaged: true }
      return { ...listed, size: closureSize(links, one.cid).bytes }
    })
    for (const one of packages.filter(({ damaged }) => damaged)) {
      note(`${one.name} ${one.version} is damaged: block ${one.cid}, its root, is lost`)
      note(`hint: ${healHint(one)}`)
    }
    const served = packages.length > 0 && (await import('../mounting.ts')).noteNotServed(context)
    return { ...(generation && { generation: generation.number, cid: generation.cid }), ...served, packages }
  },
  render({ packages, generation }, style, { long }) {
    if (packages.length === 0)
      return generation === undefined ? 'Nothing is installed yet' : 'Nothing is installed'
    const isHeld = packages.some(({ held }) => held !== undefined)
    const rows = packages.map(({ name, version, held, size, programs, cid }) => [
      style.bold(name),
      version,
      ...(isHeld ? [printable(held ?? '')] : []),
      size === undefined ? style.red('damaged') : formatBytes(size),
      long ? cid.toString() : some(programs.map(printable)),
    ])
    const headings = ['name', 'version', ...(isHeld ? ['held'] : []), 'size', long ? 'cid' : 'programs']
    return table(headings, rows, { style, right: [isHeld ? 3 : 2] })
  },
  brief: ({ packages }) => packages.map(({ name }) => name).join('\n'),
  exitStatus: ({ packages }) => (packages.some(({ damaged }) => damaged) ? EXIT.damaged : EXIT.ok),
})

function isMeant(name: string, pattern: string): boolean {
  return /[*?]/.test(pattern) ? matchesGlob(name, pattern) : name.includes(pattern)
}

function isReadable(blocks: BlockGetter, cid: CID): boolean {
  try {
    blocks.get(cid)
    return true
  } catch (error) {
    if (hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK')) return false
    throw error
  }
}

/** A line of a table has room for this many names. */
const SHOWN = 5

function some(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, ${names.length - SHOWN} more` : ''
  return names.slice(0, SHOWN).join(', ') + more
}
