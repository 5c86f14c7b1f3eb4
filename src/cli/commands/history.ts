// `pkg history`: all generations, when each was made and what it changed.

import type { HistoryEntry } from '../../profiles/history.ts'
import { summarize } from '../changes.ts'
import { defineCommand } from '../command.ts'
import { formatDate, type Style, table } from '../output.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg history', 'Then: pkg switch 2, or pkg diff 1 2'),
  async run(_args, { readProfile }) {
    const { history } = await import('../../profiles/history.ts')
    return history(await readProfile())
  },
  render({ generations }, style) {
    if (generations.length === 0) return 'There is no generation yet: install something'
    const rows = generations.map((entry) => [
      `${entry.current ? style.green('*') : ' '} ${entry.number}`,
      formatDate(entry.created),
      entry.action ?? '',
      changesOf(entry, style),
    ])
    return table(['generation', 'made', 'by', 'changes'], rows, { style })
  },
  brief: ({ generations }) => generations.map(({ number }) => number).join('\n'),
})

function changesOf({ changes, from }: HistoryEntry, style: Style): string {
  if (changes) return changes.length > 0 ? summarize(changes) : style.dim('none')
  return from === undefined ? style.dim('unknown: the one before is gone') : style.red('cannot be read')
}
