// The words of the help: the root page, made from the table of commands, and the
// exit statuses that end every page.

import { EXIT } from '../../errors.ts'
import { COMMANDS, SECTIONS } from '../commands.ts'

const MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: 'done',
  internal: 'internal error',
  usage: 'wrong use',
  notFound: 'not found',
  damaged: 'damaged or incomplete data',
  conflict: 'conflict',
  busy: 'busy',
  permission: 'not permitted',
  unavailable: 'no mount or daemon',
  noSpace: 'no space',
  interrupted: 'interrupted',
}

/** `0 done, 1 internal error, …` in lines of at most `width` columns. */
export function exitStatuses(width = 78): string {
  const lines = ['Exit status:']
  for (const [name, status] of Object.entries(EXIT)) {
    const part = ` ${status} ${MEANINGS[name as keyof typeof EXIT]}${status === EXIT.interrupted ? '' : ','}`
    const last = lines.at(-1) ?? ''
    if (last.length + part.length <= width) lines[lines.length - 1] = last + part
    else lines.push(` ${part}`)
  }
  return lines.join('\n')
}

const EXAMPLES = `Examples:
  pkg init                         set up, once
  pkg install esbuild@0.25         install, and switch to the new generation
  pkg rollback                     and back again
  pkg run esbuild -- --version     run without installing`

/** The page of `pkg --help`. */
export function rootHelp(): string {
  const width = Math.max(...COMMANDS.map(({ usage }) => usage.length))
  const sections = Object.entries(SECTIONS).map(([heading, entries]) =>
    [`${heading}:`, ...entries.map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`)].join('\n'),
  )
  return [
    'pkg <command>: install, run, switch and roll back programs from a content-addressed store',
    ...sections,
    EXAMPLES,
    'pkg <command> --help shows its options, those of every command, and an example.',
    exitStatuses(),
  ].join('\n\n')
}
