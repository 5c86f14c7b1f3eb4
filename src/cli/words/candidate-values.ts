// What a command's arguments may be, by their places, and the values of options: the
// names that there are. Reads the profile, the pins, the subscriptions and registries.

import type { Context } from '../context.ts'
import { SCRIPTS } from './completion.ts'

export type Candidate = { text: string; about?: string }

/** `files`: names of files may stand there as well, or nothing else. */
export type Values = { found: Candidate[]; files: boolean }

export type Where = {
  typed: string
  /** the command's arguments before it */
  given: readonly string[]
  context: Context
}

type Kind = (where: Where) => Values | Promise<Values>

const NOTHING: Values = { found: [], files: false }
const nothing: Kind = () => NOTHING
const path: Kind = () => ({ found: [], files: true })

/** Names alone. */
const only =
  (find: (where: Where) => Promise<Candidate[]>): Kind =>
  async (where) => ({ found: await find(where), files: false })

/** Names, or a path: what looks like one is one. */
const orPath =
  (find: (where: Where) => Promise<Candidate[]>): Kind =>
  async (where) => {
    const isPath = /^[./~]|\//.test(where.typed)
    return isPath ? { found: [], files: true } : { found: await find(where), files: false }
  }

/** Of each command the kinds of its arguments; the last one is that of all that follow where the command takes several. */
export const ARGUMENTS: Readonly<Record<string, readonly Kind[]>> = {
  install: [orPath(packages)],
  info: [orPath(packages)],
  run: [orPath(packages)],
  remove: [only(installed)],
  upgrade: [only(installed)],
  outdated: [only(installed)],
  list: [only(installed)],
  which: [only(programs)],
  why: [orPath(here)],
  switch: [only(generationNumbers)],
  diff: [only(generationNumbers)],
  pack: [path],
  publish: [orPath(here)],
  unpublish: [only(packages)],
  'registry create': [path],
  'registry add': [nothing, path],
  'registry remove': [only(registries)],
  'registry update': [only(registries)],
  'roots drop': [path],
  'pin add': [nothing, orPath(here)],
  'pin remove': [only(pins), only(pinned)],
  'store add': [path],
  'store get': [orPath(here), path],
  'store checkout': [orPath(here)],
  'store ls': [orPath(here)],
  'store cat': [orPath(here)],
  'store stat': [orPath(here)],
  'store export': [orPath(here), path],
  'store import': [path],
  'config get': [only(settings)],
  'config set': [only(settings)],
  'config unset': [only(settings)],
  completion: [only(async () => Object.keys(SCRIPTS).map((text) => ({ text })))],
}

/** The values of options, where they are names or paths; `registry` of the commands that look packages up is a name. */
const OPTION_VALUES: Readonly<Record<string, Kind>> = {
  prefix: path,
  profile: path,
  from: path,
  'publish registry': path,
  'unpublish registry': path,
  'install registry': only(registries),
  'run registry': only(registries),
  generation: only(generationNumbers),
  to: only(generationNumbers),
}

/** The names of those options. */
export const OPTIONS_WITH_VALUES: ReadonlySet<string> = new Set(
  Object.keys(OPTION_VALUES).map((name) => name.replace(/^.* /, '')),
)

/** What the value of an option of a command may be; undefined where it is none of these. */
export function valuesOf(command: string, option: string): Kind | undefined {
  const key = [`${command} ${option}`, option].find((name) => Object.hasOwn(OPTION_VALUES, name))
  return key === undefined ? undefined : OPTION_VALUES[key]
}

async function settings(): Promise<Candidate[]> {
  const { SETTINGS } = await import('../../settings.ts')
  return Object.entries(SETTINGS).map(([text, { about }]) => ({ text, about }))
}

async function packages(where: Where): Promise<Candidate[]> {
  const { typed, context } = where
  const [{ readSubscriptions }, { packageNames, readRecord }, { Blocks }] = await Promise.all([
    import('../../registry/subscription.ts'),
    import('../../registry/tree.ts'),
    import('../../store/blocks/blocks.ts'),
  ])
  const blocks = new Blocks(context.paths)
  const at = typed.indexOf('@', 1)
  const known = readSubscriptions(context.paths).flatMap(({ name: about, root }) => {
    if (at === -1) return Array.from(packageNames(blocks, root), (text) => ({ text, about }))
    const name = typed.slice(0, at)
    const versions = readRecord(blocks, root, name)?.versions ?? []
    return versions.map(({ version }) => ({ text: `${name}@${version}`, about })).reverse()
  })
  return [...known, ...(await here(where).catch(() => []))]
}

async function installedHere({ readProfile }: Context) {
  const { installedPackages } = await import('../../profiles/read-installed.ts')
  return installedPackages(await readProfile())
}

async function installed({ context }: Where): Promise<Candidate[]> {
  return (await installedHere(context)).map(({ name, version }) => ({ text: name, about: version }))
}

async function programs({ context }: Where): Promise<Candidate[]> {
  return (await installedHere(context)).flatMap(({ programs: names, name }) =>
    names.map((text) => ({ text, about: name })),
  )
}

/** What is installed or pinned: names, and after an `@` their versions. */
async function here({ typed, context }: Where): Promise<Candidate[]> {
  const { findHere, namesHere } = await import('../../install/here.ts')
  const profile = await context.readProfile()
  const at = typed.indexOf('@', 1)
  if (at === -1) return Array.from(await namesHere(profile), (text) => ({ text }))
  const name = typed.slice(0, at)
  return (await findHere(profile, { name, range: undefined })).flatMap(({ version }) => {
    return version === undefined ? [] : [{ text: `${name}@${version}` }]
  })
}

async function generationNumbers({ context }: Where): Promise<Candidate[]> {
  const { generations } = await import('../../profiles/profile.ts')
  return generations(await context.readProfile()).map(({ number, current }) => ({
    text: String(number),
    about: current ? 'current' : '',
  }))
}

async function registries({ context: { paths } }: Where): Promise<Candidate[]> {
  const { readSubscriptions } = await import('../../registry/subscription.ts')
  return readSubscriptions(paths).map(({ name, source }) => ({ text: name, about: source }))
}

/** Auto pins go with the link that they watch, not by name. */
async function ownPins({ paths }: Context) {
  const [{ listPins }, { userName }] = await Promise.all([
    import('../../pins/pins.ts'),
    import('../../paths.ts'),
  ])
  const pins = await listPins({ paths }, { user: userName() })
  return pins.filter(({ kind }) => kind === 'pin')
}

async function pins({ context }: Where): Promise<Candidate[]> {
  return (await ownPins(context)).map(({ prog, cid }) => ({ text: prog, about: cid.toString() }))
}

/** The CIDs that the pin's name stands for, and what each of them is. */
async function pinned({ given, context }: Where): Promise<Candidate[]> {
  const [{ describeBuild, pinnedPackage }, { Blocks }] = await Promise.all([
    import('../../install/here.ts'),
    import('../../store/blocks/blocks.ts'),
  ])
  const blocks = new Blocks(context.paths)
  const all = await ownPins(context)
  return all
    .filter(({ prog }) => prog === given[0])
    .map(({ cid }) => ({ text: cid.toString(), about: describeBuild(pinnedPackage(blocks, cid)) }))
}
