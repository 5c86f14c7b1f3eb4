// From words to a command and its arguments. Loaded only when there are words to parse.
// It neither prints nor runs anything. What is wrong becomes a USAGE error whose
// hint says how the command is used, or which command was probably meant.

import yargs, { type Argv } from 'yargs'
import { PkgError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { COMMANDS, type Entry, GROUPS, loadCommand, wordsOf } from '../commands.ts'
import type { GlobalOptions } from '../context.ts'
import { wrongValue } from './check-values.ts'
import { unveilDashes, unveilWord, veilDashes } from './dash.ts'
import { exitStatuses, rootHelp } from './help.ts'
import { readLeadingWords } from './leading-words.ts'
import { globalOptions, optionKinds, positionalsOf, usageOf } from './parse-options.ts'
import {
  incomplete,
  misplacedOptions,
  unknownCommand,
  unknownOptions,
  unknownWords,
  usageHint,
  usageOrBug,
} from './wrong-words.ts'

export type Invocation = {
  /** `store add` */
  words: string
  command: Command<GlobalOptions>
  args: GlobalOptions & { '--'?: string[] }
}

/** What the words ask for: a command to run, or a text (help, version) to print. */
export type Parsed = { text: string } | { invocation: Invocation }

export async function parse(words: string[], { version, columns = 80 }: ParseOptions): Promise<Parsed> {
  const leading = readLeadingWords(words[0] === 'help' ? [...words.slice(1), '--help'] : words)
  if (leading.unknown.length > 0) throw await misplacedOptions(leading)
  if (leading.version) return { text: version }
  const argv = veilDashes(leading.words, { passes: leading.command === 'run' })
  const inherited = inheritedOptions(argv)
  if (inherited.length > 0) throw await unknownWords(inherited, argv, undefined)
  const state: State = { argv }
  const parser = configure(yargs([], '/'), state).version(version).wrap(columns)
  let output = ''
  try {
    // With a callback yargs hands over what it would print, and does not exit.
    await parser.parseAsync(argv, {}, (_error: unknown, _args: unknown, text: string) => {
      output = text
    })
  } catch (error) {
    // Not all that yargs finds wrong goes through `fail`.
    if (!state.failure && !state.unknown) throw usageOrBug(error, state.page)
  }
  if (state.failure) throw state.failure
  if (state.unknown) throw await unknownWords(state.unknown, argv, state.page)
  if (output === version) return { text: output }
  // Every list of arguments has this default, which nobody needs to know.
  if (output !== '')
    return { text: state.page === undefined ? rootHelp() : output.replaceAll(' [default: []]', '') }
  if (state.invocation) return { invocation: state.invocation }
  return { text: rootHelp() }
}

/** Options that yargs would find in every object of its own, and stumble over. */
function inheritedOptions(argv: readonly string[]): string[] {
  const ours = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length)
  const names = ours
    .filter((word) => word.startsWith('-'))
    .map((word) => word.replace(/^-+(no-)?|=.*$/gs, ''))
  return names.filter((name) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) in {})
}

type ParseOptions = { version: string; columns?: number | undefined }

type State = {
  argv: readonly string[]
  /** the command or group whose help would be shown; undefined: the root's */
  page?: string
  invocation?: Invocation
  failure?: unknown
  /** the options of the command, by name and letter */
  known?: readonly string[]
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
      const isMissing = !error && / missing \(got /.test(message ?? '')
      if (!error && message?.startsWith(UNKNOWN)) {
        state.unknown = message.slice(UNKNOWN.length).split(', ')
      } else if (isMissing && unknownOf(state).length > 0) {
        // It took the word behind it for its value.
        state.unknown = unknownOf(state)
      } else {
        state.failure = usageOrBug(error ?? message, state.page)
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

function unknownOf({ argv, known }: State): string[] {
  return known === undefined ? [] : unknownOptions(argv, known)
}

function addCommand(parser: Argv, entry: Entry, state: State): void {
  const words = wordsOf(entry)
  let command: Command<GlobalOptions>
  let options: ReturnType<typeof optionKinds>
  parser.command(
    entry.usage.slice(words.lastIndexOf(' ') + 1),
    entry.about,
    async (inner: Argv) => {
      state.page = words
      command = (await loadCommand(entry)) as unknown as Command<GlobalOptions>
      // The command's own options come before everybody's: groups are shown in the order of their making.
      const configured = command.options(inner.epilogue(exitStatuses()).version(false)).group([], 'Options:')
      options = optionKinds(configured)
      state.known = options.known
      return configured
    },
    (args) => {
      // A failure that is there already came first.
      state.failure ??= wrongValue({
        args: unveilDashes(args) as Record<string, unknown>,
        argv: state.argv,
        ...options,
        positionals: positionalsOf(entry),
        hint: usageHint(state.page),
      })
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
      if (word !== undefined) state.failure = unknownCommand(unveilWord(word), group)
      else if (group) state.failure = incomplete(group)
      else if (args._.length > 0) state.failure = unknownCommand(String(args._[0]))
    },
  )
}
