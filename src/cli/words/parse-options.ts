// Options as yargs has them: everybody's, and what can be read back of a command's own.

import yargs, { type Argv } from 'yargs'
import type { Command } from '../command.ts'
import { type Entry, loadCommand } from '../commands.ts'
import type { GlobalOptions } from '../context.ts'

/** The options that a command takes, its own and everybody's, and what they are for. */
export async function describeOptions(entry: Entry): Promise<Record<string, string>> {
  const parser = yargs([], '/').help().version(false)
  globalOptions(parser)
  const command = (await loadCommand(entry)) as unknown as Command<GlobalOptions>
  command.options(parser as Argv<GlobalOptions>)
  const described = usageOf(parser).getDescriptions()
  const positionals = positionalsOf(entry)
  const options = Object.entries(described).filter(([name]) => name.length > 1 && !positionals.includes(name))
  return Object.fromEntries(options.map(([name, about]) => [name, about.replace(/^__yargsString__:/, '')]))
}

type Usage = {
  getDescriptions(): Record<string, string>
  /** Draws the help page after each command, in case that somebody asks for it: a sixth of the time of `pkg list`. */
  cacheHelpMessage(): void
}

/** What yargs keeps for its help; not in its types. */
export function usageOf(parser: Argv): Usage {
  return (parser as unknown as { getInternalMethods(): { getUsageInstance(): Usage } })
    .getInternalMethods()
    .getUsageInstance()
}

/** The names of a command's arguments. */
export function positionalsOf({ usage }: Pick<Entry, 'usage'>): string[] {
  return Array.from(usage.matchAll(/[<[](\w+)/g), ([, name]) => name as string)
}

/**
 * `lists`: what may hold several values, for yargs makes a list of anything that is given twice.
 * `switches`: what is there or not, by name and letter; `known`: all, likewise. Not in its types.
 */
export function optionKinds(parser: Argv<GlobalOptions>): {
  lists: string[]
  switches: string[]
  known: string[]
} {
  const { array, boolean, alias, key } = (parser as unknown as YargsOptions).getOptions()
  const switches = boolean.flatMap((name) => [name, ...(alias[name] ?? [])])
  return { lists: [...array, '_'], switches, known: [...Object.keys(key), ...Object.values(alias).flat()] }
}

type YargsOptions = {
  getOptions(): { array: string[]; boolean: string[]; alias: Record<string, string[]>; key: object }
}

/** The options of every command. */
export function globalOptions(parser: Argv): void {
  parser
    .option('json', { type: 'boolean', describe: 'Print one JSON record; an error is {"error": {…}}' })
    .option('quiet', { alias: 'q', type: 'boolean', describe: 'No progress, only what a script needs' })
    .option('prefix', {
      type: 'string',
      requiresArg: true,
      describe: 'Where the store lies [$PKG_PREFIX, else /ipfs or ~/.local/share/pkg]',
    })
    .option('profile', {
      type: 'string',
      requiresArg: true,
      describe: 'Another profile: a directory of your own',
    })
    .help()
    .alias('help', 'h')
    .group(['json', 'quiet', 'prefix', 'profile', 'help'], 'Everywhere:')
}
