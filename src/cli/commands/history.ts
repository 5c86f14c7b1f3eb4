// `pkg history`: all generations, when each was made and what it changed.

import type { HistoryEntry } from '../../profiles/history.ts'
import { defineCommand } from '../command.ts'
import { summarize } from '../show/changes.ts'
import { formatDate, printable, type Style, table } from '../show/output.ts'

const NAMED_STRAYS = 5

export const command = defineCommand({
  options: (argv) => argv.example('pkg history', 'Then: pkg switch 2, or pkg diff 1 2'),
  async run(_args, context) {
    const { history } = await import('../../profiles/history.ts')
    const told = history(await context.readProfile())
    const served = told.generations.length > 0 && (await import('../mounting.ts')).noteNotServed(context)
    return { ...told, ...served }
  },
  render({ generations, strays }, style) {
    if (generations.length === 0)
      return withStrays('There is no generation yet: install something', strays, style)
    const rows = generations.map((entry) => [
      `${entry.current ? style.green('*') : ' '} ${entry.number}`,
      formatDate(entry.created),
      entry.action ?? '',
      changesOf(entry, style),
    ])
    return withStrays(table(['generation', 'made', 'by', 'changes'], rows, { style }), strays, style)
  },
  brief: ({ generations }) => generations.map(({ number }) => number).join('\n'),
})

/** What somebody put among the generations is in nobody's way, and may be a slip of the hand. */
function withStrays(text: string, strays: readonly string[], style: Style): string {
  if (strays.length === 0) return text
  const names = strays.slice(0, NAMED_STRAYS).map(printable).join(', ')
  const more = strays.length > NAMED_STRAYS ? ` and ${strays.length - NAMED_STRAYS} more` : ''
  return `${text}\n${style.dim(`no generations, though among them: ${names}${more}`)}`
}

function changesOf({ changes, from }: HistoryEntry, style: Style): string {
  if (changes) return changes.length > 0 ? summarize(changes) : style.dim('none')
  return from === undefined ? style.dim('unknown: the one before is gone') : style.red('cannot be read')
}
