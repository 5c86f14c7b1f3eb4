// What may stand where the cursor is. Reads the profile, the subscriptions and
// registries, never the network; says nothing where something is in the way, for
// a completion must not print errors.

import { prefixPaths, resolvePrefix } from '../paths.ts'
import { COMMANDS, type Entry, GROUPS, wordsOf } from './commands.ts'
import { SCRIPTS } from './completion.ts'
import { type Context, createContext } from './context.ts'
import { readLeadingWords, WITH_VALUE } from './leading-words.ts'

export type Candidate = { text: string; about?: string }

/** Candidates for the last of `words`; [] for file names. */
export async function candidates(words: readonly string[]): Promise<Candidate[]> {
  const typed = words.at(-1) ?? ''
  const before = readLeadingWords(words.slice(0, -1)).words
  if (takesValue(before.at(-1))) return []
  const plain = before.filter((word, at) => !word.startsWith('-') && !takesValue(before[at - 1]))
  const entry = commandOf(plain)
  if (!entry) return startingWith(typed, nextWords(plain))
  if (typed.startsWith('-')) return startingWith(typed, await optionsOf(entry))
  try {
    return startingWith(typed, await valuesOf(wordsOf(entry), { typed, context: contextOf(before) }))
  } catch {
    return []
  }
}

/** What follows is no argument of the command. */
function takesValue(word: string | undefined): boolean {
  return WITH_VALUE.some((name) => word === `--${name}`)
}

/** The lines that the scripts read. */
export function formatCandidates(found: readonly Candidate[]): string {
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

type Where = { typed: string; context: Context }

const VALUES: Readonly<Record<string, (where: Where) => Promise<Candidate[]>>> = {
  install: packages,
  info: packages,
  run: packages,
  remove: installed,
  upgrade: installed,
  which: programs,
  why: installed,
  switch: generationNumbers,
  diff: generationNumbers,
  'registry remove': registries,
  'registry update': registries,
  'pin remove': pins,
  'config get': settings,
  'config set': settings,
  'config unset': settings,
  completion: async () => Object.keys(SCRIPTS).map((text) => ({ text })),
}

async function valuesOf(words: string, where: Where): Promise<Candidate[]> {
  return (await VALUES[words]?.(where)) ?? []
}

async function packages({ typed, context: { paths } }: Where): Promise<Candidate[]> {
  if (typed.includes('/') || typed.startsWith('.')) return []
  const [{ readSubscriptions }, { packageNames }, { Blocks }] = await Promise.all([
    import('../registry/subscription.ts'),
    import('../registry/tree.ts'),
    import('../store/blocks.ts'),
  ])
  const blocks = new Blocks(paths)
  return readSubscriptions(paths).flatMap(({ name: about, root }) => {
    return Array.from(packageNames(blocks, root), (text) => ({ text, about }))
  })
}

async function installed({ context }: Where): Promise<Candidate[]> {
  const { installedPackages } = await import('../profiles/profile.ts')
  return installedPackages(await context.readProfile()).map(({ name, version }) => ({
    text: name,
    about: version,
  }))
}

async function programs({ context }: Where): Promise<Candidate[]> {
  const { installedPackages } = await import('../profiles/profile.ts')
  return installedPackages(await context.readProfile()).flatMap(({ programs: names, name }) =>
    names.map((text) => ({ text, about: name })),
  )
}

async function generationNumbers({ context }: Where): Promise<Candidate[]> {
  const { generations } = await import('../profiles/profile.ts')
  return generations(await context.readProfile()).map(({ number, current }) => ({
    text: String(number),
    about: current ? 'current' : '',
  }))
}

async function registries({ context: { paths } }: Where): Promise<Candidate[]> {
  const { readSubscriptions } = await import('../registry/subscription.ts')
  return readSubscriptions(paths).map(({ name, source }) => ({ text: name, about: source }))
}

async function settings(): Promise<Candidate[]> {
  const { SETTINGS } = await import('../settings.ts')
  return Object.entries(SETTINGS).map(([text, { about }]) => ({ text, about }))
}

async function pins({ context: { paths } }: Where): Promise<Candidate[]> {
  const [{ listPins }, { userName }] = await Promise.all([import('../pins/pins.ts'), import('../paths.ts')])
  // Auto pins go with the link that they watch, not by name.
  return listPins({ paths }, { user: userName() })
    .filter(({ kind }) => kind === 'pin')
    .map(({ prog, cid }) => ({ text: prog, about: cid.toString() }))
}
