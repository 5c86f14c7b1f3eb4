// From words to a command and its arguments: the only module that loads yargs.
// It neither prints nor runs anything. What is wrong becomes a USAGE error whose
// hint says how the command is used, or which command was probably meant.

import yargs, { type Argv } from 'yargs'
import { PkgError } from '../errors.ts'
import { suggest } from '../registry/suggest.ts'
import type { Command } from './command.ts'
import { COMMANDS, type Entry, GROUPS, loadCommand, wordsOf } from './commands.ts'
import type { GlobalOptions } from './context.ts'
import { exitStatuses, rootHelp } from './help.ts'

export type Invocation = {
  /** `store add` */
  words: string
  command: Command<GlobalOptions>
  args: GlobalOptions & { '--'?: string[] }
}

/** What the words ask for: a command to run, or a text (help, version) to print. */
export type Parsed = { text: string } | { invocation: Invocation }

/** Help is no wider than this, in columns: long lines are hard to read. */
const MAX_WIDTH = 100

export async function parse(words: string[], { version, columns = 80 }: ParseOptions): Promise<Parsed> {
  const argv = veilDashes(words[0] === 'help' ? [...words.slice(1), '--help'] : words)
  const state: State = {}
  const parser = configure(yargs([]), state).version(version).wrap(Math.min(columns, MAX_WIDTH))
  let output = ''
  try {
    // With a callback yargs hands over what it would print, and does not exit.
    await parser.parseAsync(argv, {}, (_error: unknown, _args: unknown, text: string) => {
      output = text
    })
  } catch (error) {
    // Not all that yargs finds wrong goes through `fail`.
    if (!state.failure && !state.unknown) throw usageOrBug(error, state)
  }
  if (state.failure) throw state.failure
  if (state.unknown) throw await unknownWords(state.unknown, argv, state)
  if (output === version) return { text: output }
  // Every list of arguments has this default, which nobody needs to know.
  if (output !== '')
    return { text: state.page === undefined ? rootHelp() : output.replaceAll(' [default: []]', '') }
  if (state.invocation) return { invocation: state.invocation }
  return { text: rootHelp() }
}

/** Stands for "-", which yargs takes for an empty word where an argument is meant. No word can hold a NUL. */
const DASH = '\0'

function veilDashes(words: readonly string[]): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return words.map((word, at) => (word === '-' && at < end ? DASH : word))
}

function unveilDashes(args: object): object {
  const unveil = (value: unknown) => (value === DASH ? '-' : value)
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(unveil) : unveil(value),
    ]),
  )
}

type ParseOptions = { version: string; columns?: number | undefined }

type State = {
  /** the command or group whose help would be shown; undefined: the root's */
  page?: string
  invocation?: Invocation
  failure?: unknown
  /** words that no option or argument takes, without their dashes */
  unknown?: string[]
}

/** What our own string for unknown words begins with: yargs tells of them only as a text. */
const UNKNOWN = 'unknown: '

function configure(parser: Argv, state: State): Argv {
  parser
    .scriptName('pkg')
    .locale('en')
    .strict()
    .exitProcess(false)
    .parserConfiguration({
      'populate--': true,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
    })
    .updateStrings({
      'Not enough non-option arguments: got %s, need at least %s': {
        one: 'an argument is missing (got %s, need at least %s)',
        other: 'arguments are missing (got %s, need at least %s)',
      } as unknown as string,
      'Not enough arguments following: %s': 'the value is missing after --%s',
      'Unknown argument: %s': {
        one: `${UNKNOWN}%s`,
        other: `${UNKNOWN}%s`,
      } as unknown as string,
    })
    .fail((message, error) => {
      // What is thrown here comes back here: the first word counts.
      if (state.failure || state.unknown) throw error
      if (!error && message?.startsWith(UNKNOWN)) {
        state.unknown = message.slice(UNKNOWN.length).split(', ')
      } else {
        state.failure = usageOrBug(error ?? message, state)
      }
      throw new PkgError('USAGE', message)
    })
  usageOf(parser).cacheHelpMessage = () => {}
  globalOptions(parser)
  for (const entry of COMMANDS) {
    if (!wordsOf(entry).includes(' ')) addCommand(parser, entry, state)
  }
  for (const [group, about] of Object.entries(GROUPS)) {
    parser.command(group, about, (inner) => {
      state.page = group
      inner.version(false)
      for (const entry of COMMANDS.filter((one) => one.usage.startsWith(`${group} `))) {
        addCommand(inner, entry, state)
      }
      return addUnknown(inner, state, group)
    })
  }
  return addUnknown(parser, state)
}

/** The options that a command takes, its own and everybody's, and what they are for. */
export async function describeOptions(entry: Entry): Promise<Record<string, string>> {
  const parser = yargs([]).help().version(false)
  globalOptions(parser)
  const command = (await loadCommand(entry)) as unknown as Command<GlobalOptions>
  command.options(parser as Argv<GlobalOptions>)
  const described = usageOf(parser).getDescriptions()
  const positionals = Array.from(entry.usage.matchAll(/[<[](\w+)/g), ([, name]) => name)
  const options = Object.entries(described).filter(([name]) => name.length > 1 && !positionals.includes(name))
  return Object.fromEntries(options.map(([name, about]) => [name, about.replace(/^__yargsString__:/, '')]))
}

type Usage = {
  getDescriptions(): Record<string, string>
  /** Draws the help page after each command, in case that somebody asks for it: a sixth of the time of `pkg list`. */
  cacheHelpMessage(): void
}

/** What yargs keeps for its help; not in its types. */
function usageOf(parser: Argv): Usage {
  return (parser as unknown as { getInternalMethods(): { getUsageInstance(): Usage } })
    .getInternalMethods()
    .getUsageInstance()
}

/** What may hold several values: yargs makes a list of anything that is given twice. Not in its types. */
function listOptions(parser: Argv<GlobalOptions>): string[] {
  const { array } = (parser as unknown as { getOptions(): { array: string[] } }).getOptions()
  return [...array, '_', '--']
}

function globalOptions(parser: Argv): void {
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

function addCommand(parser: Argv, entry: Entry, state: State): void {
  const words = wordsOf(entry)
  let command: Command<GlobalOptions>
  let lists: string[]
  parser.command(
    entry.usage.slice(words.lastIndexOf(' ') + 1),
    entry.about,
    async (inner: Argv) => {
      state.page = words
      command = (await loadCommand(entry)) as unknown as Command<GlobalOptions>
      // The command's own options come before everybody's: groups are shown in the order of their making.
      const configured = command.options(inner.epilogue(exitStatuses()).version(false)).group([], 'Options:')
      lists = listOptions(configured)
      return configured
    },
    (args) => {
      const single = Object.keys(args).filter((name) => name.length > 1 && !lists.includes(name))
      const twice = single.find((name) => Array.isArray(args[name]))
      if (twice !== undefined) {
        state.failure = new PkgError('USAGE', `--${twice} is given twice`, { hint: usageHint(state) })
      }
      state.invocation = { words, command, args: unveilDashes(args) as Invocation['args'] }
    },
  )
}

/** What is left when no command matched: an unknown word, or none at all. */
function addUnknown(parser: Argv, state: State, group?: string): Argv {
  return parser.command(
    '$0 [command..]',
    false,
    (inner) => inner.strict(false),
    (args) => {
      const word = (args as { command?: string[] }).command?.[0]
      if (word !== undefined) state.failure = unknownCommand(word, group)
      else if (group) state.failure = incomplete(group)
      else if (args._.length > 0) state.failure = unknownCommand(String(args._[0]))
    },
  )
}

function unknownCommand(word: string, group?: string): PkgError {
  const names = COMMANDS.map(wordsOf)
  const typed = group ? `${group} ${word}` : word
  const close = new Set([
    ...suggest(typed, [...names, ...Object.keys(GROUPS)]),
    // `pkg add` for `pkg store add`
    ...names.filter((name) => name.endsWith(` ${word}`)),
  ])
  return new PkgError('USAGE', `there is no command ${JSON.stringify(typed)}`, {
    hint:
      close.size > 0
        ? `Did you mean ${[...close].map((name) => `"pkg ${name}"`).join(' or ')}?`
        : `See "pkg ${group ? `${group} ` : ''}--help" for all commands.`,
  })
}

function incomplete(group: string): PkgError {
  const names = COMMANDS.map(wordsOf).filter((name) => name.startsWith(`${group} `))
  return new PkgError('USAGE', `"pkg ${group}" needs one word more`, {
    hint: `One of: ${names.map((name) => `pkg ${name}`).join(', ')}.`,
  })
}

/** What yargs complains of is a slip of the user's; anything else is what it is. */
function usageOrBug(error: unknown, state: State): unknown {
  if (error instanceof Error && error.name !== 'YError') return error
  const message = error instanceof Error ? error.message : String(error)
  return new PkgError('USAGE', message, { hint: usageHint(state) })
}

/** Says which words are too many, and which options were probably meant. */
async function unknownWords(unknown: string[], argv: string[], state: State): Promise<PkgError> {
  const typed = unknown.map((word) => {
    const dashes = argv.find((one) => one.replace(/^-+|=.*$/g, '') === word && one.startsWith('-'))
    return dashes?.replace(/=.*$/, '') ?? JSON.stringify(word)
  })
  const entry = entryOf(state)
  const options = entry ? Object.keys(await describeOptions(entry)) : []
  const near = unknown.flatMap((word) => suggest(word, options)).map((name) => `--${name}`)
  const meant = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''
  const message = `${typed.join(', ')} ${typed.length === 1 ? 'is' : 'are'} not understood here`
  return new PkgError('USAGE', message, { hint: meant + usageHint(state) })
}

function usageHint(state: State): string {
  const usage = entryOf(state)?.usage
  return `${usage ? `Use: pkg ${usage}. ` : ''}See "pkg ${state.page ? `${state.page} ` : ''}--help".`
}

function entryOf({ page }: State): Entry | undefined {
  return COMMANDS.find((one) => wordsOf(one) === page)
}
