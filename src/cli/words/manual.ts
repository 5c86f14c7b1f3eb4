// Manual pages, made of the help pages: what a command does is written once.
// roff as man(7) describes it; read by man-db and mandoc.

import { COMMANDS, type Entry, SECTIONS, wordsOf } from '../commands.ts'
import { exitStatuses, rootHelp } from './help.ts'
import { parse } from './parse.ts'

export type ManualPage = { file: string; text: string }

/** Wide enough that no line of a help page is broken. */
const UNBROKEN = 400

/** `pkg.1` and a page for each command: `pkg-store-add.1`. */
export async function manualPages(version: string): Promise<ManualPage[]> {
  const pages = [{ file: 'pkg.1', text: rootPage(version) }]
  for (const entry of COMMANDS) {
    pages.push({ file: `${pageName(entry)}.1`, text: await commandPage(entry, version) })
  }
  return pages
}

function rootPage(version: string): string {
  const commands = Object.entries(SECTIONS).flatMap(([heading, entries]) => [
    `.SS ${roff(heading)}`,
    ...entries.flatMap((entry) => tagged(`pkg ${entry.usage}`, `${entry.about}: see ${pageName(entry)}(1)`)),
  ])
  const help = rootHelp()
  return page('pkg', version, [
    '.SH NAME',
    'pkg \\- install, run, switch and roll back programs from a content\\-addressed store',
    '.SH SYNOPSIS',
    '\\fBpkg\\fR \\fIcommand\\fR [\\fIargument\\fR...]',
    '.SH COMMANDS',
    ...commands,
    ...section('EXAMPLES', linesUnder('Examples:', help)),
    ...exitStatusSection(),
  ])
}

async function commandPage(entry: Entry, version: string): Promise<string> {
  const words = wordsOf(entry)
  const parsed = await parse([...words.split(' '), '--help'], { version, columns: UNBROKEN })
  const help = 'text' in parsed ? parsed.text : ''
  const parts: [heading: string, under: string][] = [
    ['ARGUMENTS', 'Positionals:'],
    ['OPTIONS', 'Options:'],
    ['OPTIONS OF EVERY COMMAND', 'Everywhere:'],
    ['EXAMPLES', 'Examples:'],
  ]
  return page(pageName(entry), version, [
    '.SH NAME',
    `${roff(pageName(entry))} \\- ${roff(entry.about)}`,
    '.SH SYNOPSIS',
    `\\fBpkg ${roff(words)}\\fR${roff(entry.usage.slice(words.length))} [\\fIoption\\fR...]`,
    ...parts.flatMap(([heading, under]) => section(heading, linesUnder(under, help))),
    ...exitStatusSection(),
    '.SH SEE ALSO',
    '\\fBpkg\\fR(1)',
  ])
}

function pageName(entry: Entry): string {
  return `pkg-${wordsOf(entry).replaceAll(' ', '-')}`
}

function page(name: string, version: string, lines: readonly string[]): string {
  return `${[`.TH ${roff(name.toUpperCase())} 1 "" "pkg ${roff(version)}" "pkg"`, ...lines].join('\n')}\n`
}

function section(heading: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  return [
    `.SH ${heading}`,
    ...lines.flatMap((line) => {
      const [, tag = line, rest = ''] = /^\s*(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? []
      return tagged(tag, rest)
    }),
  ]
}

function tagged(tag: string, text: string): string[] {
  // yargs puts the kind of a value at the end of the line, far to the right.
  return ['.TP', `\\fB${roff(tag)}\\fR`, roff(text.replace(/\s{2,}/g, ' ')) || '\\&']
}

function exitStatusSection(): string[] {
  return ['.SH EXIT STATUS', roff(exitStatuses(UNBROKEN).replace(/^Exit status: /, ''))]
}

/** The indented lines after a heading. */
function linesUnder(heading: string, help: string): string[] {
  const lines = help.split('\n')
  const from = lines.indexOf(heading)
  if (from === -1) return []
  const length = lines.slice(from + 1).findIndex((line) => !line.startsWith(' '))
  return lines.slice(from + 1, length === -1 ? undefined : from + 1 + length)
}

/** Escapes what roff would take for its own: backslashes, dashes that are to be copied, a control character in front. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&')
}
