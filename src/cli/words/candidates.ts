// What may stand where the cursor is: never asks the network, and says nothing where
// something is in the way, for a completion must not print errors.

import { prefixPaths, resolvePrefix } from '../../paths.ts'
import { COMMANDS, type Entry, GROUPS, wordsOf } from '../commands.ts'
import { type Context, createContext } from '../context.ts'
import { ARGUMENTS, type Candidate, OPTIONS_WITH_VALUES, type Values, valuesOf } from './candidate-values.ts'
import { readLeadingWords } from './leading-words.ts'

/** What may stand for the last of `words`. */
export async function candidates(words: readonly string[]): Promise<Values> {
  const typed = words.at(-1) ?? ''
  const before = readLeadingWords(words.slice(0, -1)).words
  const plain = before.filter((word, at) => !word.startsWith('-') && !takesValue(before[at - 1]))
  const entry = commandOf(plain)
  const command = entry === undefined ? '' : wordsOf(entry)
  // Arguments of another program.
  if (command === 'run' && before.includes('--')) return { found: [], files: true }
  const value = valuesOf(command, optionIn(before.at(-1)))
  if (value === undefined) {
    if (!entry) return { found: startingWith(typed, nextWords(plain)), files: false }
    if (typed.startsWith('-')) return { found: startingWith(typed, await optionsOf(entry)), files: false }
  }
  try {
    const given = plain.slice(command === '' ? 0 : command.split(' ').length)
    const kind = value ?? argumentOf(entry as Entry, given.length)
    const values = await kind?.({ typed, given, context: contextOf(before) })
    return { found: startingWith(typed, values?.found ?? []), files: values?.files ?? false }
  } catch {
    return { found: [], files: false }
  }
}

/** Behind the last argument there is nothing more, unless the command takes several. */
function argumentOf({ usage }: Entry, place: number) {
  const kinds = ARGUMENTS[wordsOf({ usage })] ?? []
  const takes = Array.from(usage.matchAll(/[<[]/g)).length
  return kinds[place] ?? (usage.includes('..') || place < takes ? kinds.at(-1) : undefined)
}

/** `from` of `--from`; '' for any other word. */
function optionIn(word = ''): string {
  return /^--(.+)$/.exec(word)?.[1] ?? ''
}

/** What follows is no argument of the command. */
function takesValue(word: string | undefined): boolean {
  return OPTIONS_WITH_VALUES.has(optionIn(word))
}

/** The lines that the scripts read. One with nothing before its tab: no names of files either. */
export function formatCandidates({ found, files }: Values): string {
  if (found.length === 0 && !files) return '\tno names of files\n'
  return found.map(({ text, about = '' }) => `${text}\t${about}\n`).join('')
}

function startingWith(typed: string, all: readonly Candidate[]): Candidate[] {
  const fitting = all.filter(({ text }) => text.startsWith(typed))
  // Two registries may have a package of one name.
  return [...new Map(fitting.toReversed().map((one) => [one.text, one])).values()].reverse()
}

function commandOf(plain: readonly string[]): Entry | undefined {
  return COMMANDS.find((entry) => {
    const words = wordsOf(entry).split(' ')
    return words.every((word, at) => plain[at] === word)
  })
}

function nextWords([group]: readonly string[]): Candidate[] {
  if (group !== undefined) {
    return COMMANDS.filter((entry) => entry.usage.startsWith(`${group} `)).map((entry) => ({
      text: wordsOf(entry).slice(group.length + 1),
      about: entry.about,
    }))
  }
  const bare = COMMANDS.filter((entry) => !wordsOf(entry).includes(' '))
  return [
    ...bare.map((entry) => ({ text: wordsOf(entry), about: entry.about })),
    ...Object.entries(GROUPS).map(([text, about]) => ({ text, about })),
  ]
}

async function optionsOf(entry: Entry): Promise<Candidate[]> {
  const { describeOptions } = await import('./parse-options.ts')
  return Object.entries(await describeOptions(entry)).map(([text, about]) => ({ text: `--${text}`, about }))
}

function contextOf(before: readonly string[]): Context {
  const value = (option: string) => before[before.indexOf(option) + 1]
  const prefix = before.includes('--prefix') ? value('--prefix') : undefined
  const silent = { task: () => ({ update() {}, end() {} }) }
  return createContext({
    paths: prefixPaths(prefix || resolvePrefix()),
    env: process.env,
    profilePath: before.includes('--profile') ? value('--profile') : undefined,
    quiet: true,
    json: false,
    signals: { signal: new AbortController().signal, exitStatus: () => undefined, release() {} },
    progress: silent,
    note() {},
  }).context
}
