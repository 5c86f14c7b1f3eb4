// What is said of words that make no sense: always a USAGE error, always with a
// hint that names what was probably meant or how the command is used.
// `page` is the command or group whose help would be shown; undefined: the root's.

import { PkgError } from '../../errors.ts'
import { suggest } from '../../install/suggest.ts'
import { shellWord } from '../../paths.ts'
import { ALIASES, AMBIGUOUS, COMMANDS, type Entry, GROUPS, wordsOf } from '../commands.ts'
import { unveilWord } from './dash.ts'
import { EVERYWHERE, type LeadingWords, WITH_VALUE } from './leading-words.ts'
import { describeOptions } from './parse-options.ts'

/** `group`: of which it would be a command. */
export function unknownCommand(word: string, group?: string): PkgError {
  const names = COMMANDS.map(wordsOf)
  const typed = group ? `${group} ${word}` : word
  const near = suggest(typed, [...names, ...Object.keys(GROUPS), ...Object.keys(ALIASES)])
  const close = new Set(
    AMBIGUOUS[typed] ?? [
      ...near,
      // `pkg add` for `pkg store add`
      ...names.filter((name) => name.endsWith(` ${word}`)),
    ],
  )
  return new PkgError('USAGE', `there is no command ${JSON.stringify(typed)}`, {
    hint:
      close.size > 0
        ? `Did you mean ${[...close].map((name) => `"pkg ${name}"`).join(' or ')}?`
        : `See "pkg ${group ? `${group} ` : ''}--help" for all commands.`,
  })
}

/** A group without its second word. */
export function incomplete(group: string): PkgError {
  const names = COMMANDS.map(wordsOf).filter((name) => name.startsWith(`${group} `))
  return new PkgError('USAGE', `"pkg ${group}" needs one word more`, {
    hint: `One of: ${names.map((name) => `pkg ${name}`).join(', ')}.`,
  })
}

/** What yargs complains of is a slip of the user's; anything else is what it is. */
export function usageOrBug(error: unknown, page: string | undefined): unknown {
  if (error instanceof Error && error.name !== 'YError') return error
  const message = error instanceof Error ? error.message : String(error)
  return new PkgError('USAGE', message, { hint: usageHint(page) })
}

/** The options in `argv` that are not among `known`, without their dashes; letters that are joined one by one. Pure. */
export function unknownOptions(argv: readonly string[], known: readonly string[]): string[] {
  const end = argv.indexOf('--')
  const names = (end === -1 ? argv : argv.slice(0, end)).flatMap((word) => {
    const [, long] = /^--(?:no-)?([^=]+)/.exec(word) ?? []
    return long === undefined ? [...(/^-([A-Za-z]+)/.exec(word)?.[1] ?? '')] : [long]
  })
  return names.filter((name) => !known.includes(name))
}

/** Says which words are too many, and which options were probably meant. */
export async function unknownWords(
  unknown: string[],
  argv: string[],
  page: string | undefined,
): Promise<PkgError> {
  const typed = withoutTwins(unknown.map(unveilWord)).map((word) => {
    const dashes = argv.find((one) => one.replace(/^-+|=.*$/g, '') === word && one.startsWith('-'))
    const joined = /^[A-Za-z]$/.test(word) && argv.some((one) => /^-[A-Za-z]+/.exec(one)?.[0].includes(word))
    return dashes?.replace(/=.*$/, '') ?? (joined ? `-${word}` : JSON.stringify(word))
  })
  const entry = entryOf(page)
  const options = entry ? Object.keys(await describeOptions(entry)) : [...EVERYWHERE, ...WITH_VALUE]
  const words = withoutTwins(unknown)
  // An ending of one is as near as a slip of the pen: `--older-than`.
  const close = words.flatMap((word) => [
    ...suggest(word, options),
    ...options.filter((name) => name.endsWith(`-${word}`)),
  ])
  const near = [...new Set(close)].map((name) => `--${name}`)
  const meant = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''
  const message = `${typed.join(', ')} ${typed.length === 1 ? 'is' : 'are'} not understood here`
  const hint = page === 'run' ? runHint(argv) : usageHint(page)
  return new PkgError('USAGE', message, { hint: meant + hint })
}

/** yargs names what has dashes a second time, in its own spelling: `olderThan`. */
function withoutTwins(words: readonly string[]): string[] {
  const camel = new Set(
    words
      .filter((word) => word.includes('-'))
      .map((word) => word.replace(/-+(.)?/g, (_, letter = '') => letter.toUpperCase())),
  )
  return words.filter((word) => !camel.has(word))
}

/** What the words of `pkg run` were probably meant to be. */
function runHint(argv: readonly string[]): string {
  const words = argv.slice(argv.indexOf('run') + 1).map(unveilWord)
  const spec = words.find((word) => !word.startsWith('-')) ?? '<package>'
  const rest = words.filter((word) => word !== spec && word !== '--')
  return `Arguments of the program go after "--": pkg run ${[spec, '--', ...rest].map(shellWord).join(' ')}`
}

/** Options before the command that only stand after it, or nowhere. */
export async function misplacedOptions({ unknown, command, words }: LeadingWords): Promise<PkgError> {
  const entry = entryOf(command)
  const own = entry ? Object.keys(await describeOptions(entry)) : []
  const error = await unknownWords(unknown, words, undefined)
  const [first] = unknown.filter((name) => own.includes(name))
  if (first === undefined) return error
  return new PkgError('USAGE', error.message, {
    hint: `It goes after the command: pkg ${command} --${first}`,
  })
}

/** How the command is used, and where to read on. */
export function usageHint(page: string | undefined): string {
  const usage = entryOf(page)?.usage
  return `${usage ? `Use: pkg ${usage}. ` : ''}See "pkg ${page ? `${page} ` : ''}--help".`
}

function entryOf(page: string | undefined): Entry | undefined {
  return COMMANDS.find((one) => wordsOf(one) === page)
}
